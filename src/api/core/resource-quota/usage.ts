/** What an object uses of a quota, by the names under which quotas count it. */
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import type { KubeObject } from "../../object.ts";
import type {
  Container,
  PersistentVolumeClaimSpec,
  PodSpec,
  ServiceSpec,
} from "../../schema/core.v1.generated.ts";
import { aggregateContainerRequests } from "../pod/requests.ts";
import type { CountedKind } from "./counted-kinds.ts";
import { countName } from "./counted-kinds.ts";
import { type ClaimShape, deviceUsage } from "./device-usage.ts";

export type Usage = Map<string, Quantity>;

const ONE = Quantity.ofValue(1);
const NONE = Quantity.ofValue(0);

/** Kinds that are counted by their plain name too. */
const PLAINLY_COUNTED = ["configmaps", "replicationcontrollers", "resourcequotas", "secrets"];

export function usageOf(resource: CountedKind, object: KubeObject): Usage {
  const usage: Usage = new Map([[countName(resource), ONE]]);
  if (resource.group === "resource.k8s.io" && resource.plural === "resourceclaims") {
    deviceUsage(object as ClaimShape, usage);
  }
  if (resource.group !== "") return usage;
  switch (resource.plural) {
    case "pods":
      // What has ended is there, but uses nothing.
      if (!hasEnded(object)) podUsage((object as { spec?: PodSpec }).spec, usage);
      break;
    case "services":
      serviceUsage((object as { spec?: ServiceSpec }).spec, usage);
      break;
    case "persistentvolumeclaims":
      claimUsage(object, usage);
      break;
    default:
      if (PLAINLY_COUNTED.includes(resource.plural)) usage.set(resource.plural, ONE);
  }
  return usage;
}

/** Whether no container of the pod will ever run again. */
export function hasEnded(pod: KubeObject): boolean {
  const { status } = pod as { status?: { phase?: string } };
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

function podUsage(spec: PodSpec | undefined, usage: Usage): void {
  usage.set("pods", ONE);
  if (!spec) return;
  const { requests, limits, overhead } = podAmounts(spec);
  amounts(requests, overhead, "requests.", usage);
  amounts(limits, overhead, "limits.", usage);
}

function podAmounts(spec: PodSpec) {
  const limited = (container: Container): Container => ({
    ...container,
    resources: { requests: container.resources?.limits },
  });
  const requests = aggregateContainerRequests(spec);
  const limits = aggregateContainerRequests({
    ...spec,
    containers: spec.containers.map(limited),
    initContainers: spec.initContainers?.map(limited),
  });
  // What is said for the whole pod goes before the sum of its containers.
  for (const [name, value] of Object.entries(spec.resources?.requests ?? {})) requests.set(name, value);
  for (const [name, value] of Object.entries(spec.resources?.limits ?? {})) limits.set(name, value);
  return { requests, limits, overhead: spec.overhead ?? {} };
}

function amounts(
  list: ReadonlyMap<string, string>,
  overhead: Readonly<Record<string, string>>,
  prefix: "requests." | "limits.",
  usage: Usage,
): void {
  for (const [name, text] of list) {
    let value = Quantity.parse(text);
    if (Object.hasOwn(overhead, name)) value = value.add(Quantity.parse(overhead[name]!));
    const standard = name === "cpu" || name === "memory" || name === "ephemeral-storage";
    const huge = name.startsWith("hugepages-");
    if (prefix === "limits." && !standard) continue;
    if (standard || huge || name.includes("/")) usage.set(prefix + name, value);
    if ((standard || huge) && prefix === "requests.") usage.set(name, value);
  }
}

function serviceUsage(spec: ServiceSpec | undefined, usage: Usage): void {
  usage.set("services", ONE);
  const ports = spec?.ports ?? [];
  const balanced = spec?.type === "LoadBalancer";
  let nodePorts = 0;
  if (spec?.type === "NodePort") nodePorts = ports.length;
  else if (balanced) {
    nodePorts =
      spec.allocateLoadBalancerNodePorts === false
        ? ports.filter(({ nodePort }) => nodePort).length
        : ports.length;
  }
  usage.set("services.loadbalancers", balanced ? ONE : NONE);
  usage.set("services.nodeports", Quantity.ofValue(nodePorts));
}

function claimUsage(object: KubeObject, usage: Usage): void {
  const { spec, status } = object as {
    spec?: PersistentVolumeClaimSpec;
    status?: { allocatedResources?: Record<string, string> };
  };
  usage.set("persistentvolumeclaims", ONE);
  const asked = spec?.resources?.requests?.storage;
  let storage = asked === undefined ? undefined : Quantity.parse(asked);
  const allocated = status?.allocatedResources?.storage;
  if (allocated !== undefined && storage && Quantity.parse(allocated).compare(storage) > 0) {
    storage = Quantity.parse(allocated);
  }
  const className =
    object.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName ?? "";
  const prefix = className === "" ? undefined : `${className}.storageclass.storage.k8s.io/`;
  if (prefix) usage.set(`${prefix}persistentvolumeclaims`, ONE);
  if (!storage) return;
  usage.set("requests.storage", storage);
  if (prefix) usage.set(`${prefix}requests.storage`, storage);
}

const MUST_SPECIFY = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];

/** What containers leave open that a quota on it needs to know: `must specify limits.cpu for: a,b`. */
export function unspecified(spec: PodSpec, limited: readonly string[]): string | undefined {
  const required = MUST_SPECIFY.filter((name) => limited.includes(name));
  const found: string[] = [];
  for (const name of required) {
    const part = name.startsWith("limits.") ? "limits" : "requests";
    const base = name.slice(name.indexOf(".") + 1);
    if (spec.resources?.[part]?.[base] !== undefined) continue;
    const open = [...spec.containers, ...(spec.initContainers ?? [])]
      .filter(({ resources }) => resources?.[part]?.[base] === undefined)
      .map((container) => container.name);
    if (open.length > 0) found.push(`${name} for: ${[...new Set(open)].sort().join(",")}`);
  }
  return found.length === 0 ? undefined : `must specify ${found.join("; ")}`;
}
