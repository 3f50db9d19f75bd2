import { LimitRange, type LimitRangeItem } from "../api/core/limit-range.ts";
import { aggregateContainerRequests } from "../api/core/pod/requests.ts";
import type { KubeObject } from "../api/object.ts";
import type { Container, PodSpec, ResourceRequirements } from "../api/schema/core.v1.generated.ts";
import { Quantity } from "../machinery/quantity/quantity.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

type List = Readonly<Record<string, string>>;

interface Amounts {
  requests: List;
  limits: List;
}

/** Completes what containers ask for, and keeps it within the limits of the namespace. */
export const limitRanger = defineAdmission({
  name: "LimitRanger",
  summary: "Applies the defaults and bounds of LimitRanges.",
  on: [
    ["pods", ["CREATE"]],
    ["pods/resize", ["UPDATE"]],
    ["persistentvolumeclaims", ["CREATE", "UPDATE"]],
  ],
  start: ({ reader }) => ({
    mutate({ object, resource, subresource, namespace }) {
      if (resource.plural !== "pods" || subresource !== "") return;
      const pod = object as KubeObject & { spec?: PodSpec };
      for (const range of reader.list(LimitRange, namespace)) complete(pod, range);
    },
    validate(request) {
      const { object, resource, namespace } = request;
      for (const range of reader.list(LimitRange, namespace)) {
        const problems: string[] = [];
        for (const item of range.spec?.limits ?? []) {
          if (resource.plural === "pods") {
            const spec = (object as { spec?: PodSpec }).spec;
            if (spec) checkPod(spec, item, problems);
          } else checkClaim(object as KubeObject & { spec?: Claim }, item, problems);
        }
        if (problems.length === 1) throw refused(request, problems[0]!);
        if (problems.length > 1) throw refused(request, `[${[...new Set(problems)].join(", ")}]`);
      }
    },
  }),
});

interface Claim {
  resources?: ResourceRequirements;
}

function complete(pod: KubeObject & { spec?: PodSpec }, range: LimitRange): void {
  const requests = new Map<string, string>();
  const limits = new Map<string, string>();
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== "Container") continue;
    for (const [name, value] of Object.entries(item.defaultRequest ?? {})) requests.set(name, value);
    for (const [name, value] of Object.entries(item.default ?? {})) limits.set(name, value);
  }
  if (requests.size === 0 && limits.size === 0) return;
  const done: string[] = [];
  for (const container of pod.spec?.containers ?? []) fill(container, requests, limits, "container", done);
  for (const container of pod.spec?.initContainers ?? [])
    fill(container, requests, limits, "init container", done);
  if (done.length === 0) return;
  const text = `LimitRanger plugin set: ${done.join("; ")}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, "kubernetes.io/limit-ranger": text };
}

function fill(
  container: Container,
  requests: ReadonlyMap<string, string>,
  limits: ReadonlyMap<string, string>,
  kind: string,
  done: string[],
): void {
  const resources: ResourceRequirements = { ...container.resources };
  const setLimits = missing(resources.limits, limits);
  const setRequests = missing(resources.requests, requests);
  if (setLimits.length > 0) resources.limits = { ...Object.fromEntries(limits), ...resources.limits };
  if (setRequests.length > 0) resources.requests = { ...Object.fromEntries(requests), ...resources.requests };
  container.resources = resources;
  if (setRequests.length > 0) done.push(`${setRequests.join(", ")} request for ${kind} ${container.name}`);
  if (setLimits.length > 0) done.push(`${setLimits.join(", ")} limit for ${kind} ${container.name}`);
}

function missing(list: List | undefined, defaults: ReadonlyMap<string, string>): string[] {
  return [...defaults.keys()].filter((name) => !list || !Object.hasOwn(list, name)).sort();
}

function checkPod(spec: PodSpec, item: LimitRangeItem, problems: string[]): void {
  if (item.type === "Container") {
    for (const { resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
      check(item, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }, problems);
    }
  } else if (item.type === "Pod") {
    const asRequests = (container: Container): Container => ({
      ...container,
      resources: { requests: container.resources?.limits },
    });
    const limits = aggregateContainerRequests({
      ...spec,
      containers: spec.containers.map(asRequests),
      initContainers: spec.initContainers?.map(asRequests),
    });
    const requests = aggregateContainerRequests(spec);
    check(item, { requests: Object.fromEntries(requests), limits: Object.fromEntries(limits) }, problems);
  }
}

function checkClaim({ spec }: { spec?: Claim }, item: LimitRangeItem, problems: string[]): void {
  if (item.type !== "PersistentVolumeClaim") return;
  const requests = spec?.resources?.requests ?? {};
  for (const [name, bound] of entries(item.min)) atLeast(name, item.type, bound, requests, {}, problems);
  for (const [name, bound] of entries(item.max)) {
    const asked = amount(requests, name);
    const text = `maximum ${name} usage per ${item.type} is ${bound}`;
    if (!asked) problems.push(`${text}.  No request is specified`);
    else if (asked.compare(bound) > 0) problems.push(`${text}, but request is ${asked}`);
  }
}

function entries(list: List | undefined): [string, Quantity][] {
  return Object.keys(list ?? {})
    .sort()
    .map((name) => [name, Quantity.parse(list![name]!)]);
}

function amount(list: List, name: string): Quantity | undefined {
  return Object.hasOwn(list, name) ? Quantity.parse(list[name]!) : undefined;
}

function check(item: LimitRangeItem, { requests, limits }: Amounts, problems: string[]): void {
  for (const [name, bound] of entries(item.min)) atLeast(name, item.type, bound, requests, limits, problems);
  for (const [name, bound] of entries(item.max)) {
    const limit = amount(limits, name);
    const request = amount(requests, name);
    const text = `maximum ${name} usage per ${item.type} is ${bound}`;
    if (!limit) problems.push(`${text}.  No limit is specified`);
    else if (limit.compare(bound) > 0) problems.push(`${text}, but limit is ${limit}`);
    else if (request && request.compare(bound) > 0) problems.push(`${text}, but request is ${request}`);
  }
  for (const [name, bound] of entries(item.maxLimitRequestRatio)) {
    const problem = ratioProblem(amount(requests, name), amount(limits, name), bound);
    if (problem)
      problems.push(`${name} max limit to request ratio per ${item.type} is ${bound}, but ${problem}`);
  }
}

function atLeast(
  name: string,
  type: string,
  bound: Quantity,
  requests: List,
  limits: List,
  problems: string[],
): void {
  const request = amount(requests, name);
  const limit = amount(limits, name);
  const text = `minimum ${name} usage per ${type} is ${bound}`;
  if (!request) problems.push(`${text}.  No request is specified`);
  else if (request.compare(bound) < 0) problems.push(`${text}, but request is ${request}`);
  else if (limit && limit.compare(bound) < 0) problems.push(`${text}, but limit is ${limit}`);
}

function ratioProblem(
  request: Quantity | undefined,
  limit: Quantity | undefined,
  bound: Quantity,
): string | undefined {
  if (!request || request.sign() === 0) return "no request is specified or request is 0";
  if (!limit || limit.sign() === 0) return "no limit is specified or limit is 0";
  const ratio = limit.approximate() / request.approximate();
  return ratio > bound.approximate() ? `provided ratio is ${ratio.toFixed(6)}` : undefined;
}
