/**
 * Amounts of resources as plain numbers: milli-CPU, bytes, counts. A double holds each exactly up to 2^53 (8 PiB), and a
 * node is compared with a pod in a few additions.
 */

import type { Pod } from "../../api/core/pods.ts";
import type { PodSpec } from "../../api/schema/core.v1.generated.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";

export interface Resources {
  milliCPU: number;
  memory: number;
  ephemeralStorage: number;
  /** Everything else by its name; absent where there is nothing else. */
  scalars?: Map<string, number>;
}

/** What a pod without requests is taken for when nodes are scored (upstream: DefaultMilliCPURequest, DefaultMemoryRequest). */
export const DEFAULT_MILLI_CPU = 100;
export const DEFAULT_MEMORY = 200 * 1024 * 1024;

export function noResources(): Resources {
  return { milliCPU: 0, memory: 0, ephemeralStorage: 0 };
}

type Amounts = Readonly<Record<string, string>>;

/** Texts of quantities recur in nearly every pod. */
const parsed = new Map<string, number>();
const MOST_PARSED = 10_000;

function amountOf(name: string, text: string): number {
  const key = name === "cpu" ? `m${text}` : text;
  let amount = parsed.get(key);
  if (amount === undefined) {
    const quantity = Quantity.parse(text);
    amount = name === "cpu" ? quantity.milliValue() : quantity.value();
    if (parsed.size >= MOST_PARSED) parsed.clear();
    parsed.set(key, amount);
  }
  return amount;
}

export function resourcesOf(amounts: Amounts | undefined): Resources {
  const total = noResources();
  if (amounts) addAmounts(total, amounts);
  return total;
}

function addAmounts(total: Resources, amounts: Amounts): void {
  for (const name in amounts) {
    const amount = amountOf(name, amounts[name]!);
    if (name === "cpu") total.milliCPU += amount;
    else if (name === "memory") total.memory += amount;
    else if (name === "ephemeral-storage") total.ephemeralStorage += amount;
    else if (name !== "pods") {
      total.scalars ??= new Map();
      total.scalars.set(name, (total.scalars.get(name) ?? 0) + amount);
    }
  }
}

export function addResources(total: Resources, more: Resources, sign: 1 | -1 = 1): void {
  total.milliCPU += sign * more.milliCPU;
  total.memory += sign * more.memory;
  total.ephemeralStorage += sign * more.ephemeralStorage;
  if (!more.scalars) return;
  total.scalars ??= new Map();
  for (const [name, amount] of more.scalars) {
    total.scalars.set(name, (total.scalars.get(name) ?? 0) + sign * amount);
  }
}

function raise(high: Resources, other: Resources): void {
  high.milliCPU = Math.max(high.milliCPU, other.milliCPU);
  high.memory = Math.max(high.memory, other.memory);
  high.ephemeralStorage = Math.max(high.ephemeralStorage, other.ephemeralStorage);
  if (!other.scalars) return;
  high.scalars ??= new Map();
  for (const [name, amount] of other.scalars) {
    high.scalars.set(name, Math.max(high.scalars.get(name) ?? 0, amount));
  }
}

type RequestsOf = (container: { name: string; resources?: { requests?: Amounts } }) => Resources;

/** Sum of the containers, or the peak of the init containers beside their sidecars, whichever is more. */
function ofContainers({ containers, initContainers }: PodSpec, requestsOf: RequestsOf): Resources {
  const total = noResources();
  for (const container of containers) addResources(total, requestsOf(container));
  if (!initContainers || initContainers.length === 0) return total;
  const sidecars = noResources();
  const peak = noResources();
  for (const container of initContainers) {
    const requests = requestsOf(container);
    if (container.restartPolicy === "Always") {
      addResources(total, requests);
      addResources(sidecars, requests);
      raise(peak, sidecars);
    } else {
      const now = noResources();
      addResources(now, sidecars);
      addResources(now, requests);
      raise(peak, now);
    }
  }
  raise(total, peak);
  return total;
}

/** What was asked for a pod as a whole goes before the sum of its containers. */
function withPodLevel(total: Resources, requests: Amounts | undefined): Resources {
  if (!requests) return total;
  const level = resourcesOf(requests);
  if ("cpu" in requests) total.milliCPU = level.milliCPU;
  if ("memory" in requests) total.memory = level.memory;
  for (const [name, amount] of level.scalars ?? []) {
    total.scalars ??= new Map();
    total.scalars.set(name, amount);
  }
  return total;
}

/**
 * What a pod takes of its node (k8s.io/component-helpers/resource: PodRequests), a resize under way included, and what it
 * is taken for in scores, where a container without requests counts as if it had small ones.
 */
export function requestsOfPod(pod: Pod): { requests: Resources; scored: Resources } {
  const spec = pod.spec as PodSpec;
  const given = new Map<string, Amounts | undefined>();
  for (const { name, allocatedResources } of pod.status?.containerStatuses ?? []) {
    if (allocatedResources) given.set(name, allocatedResources);
  }
  const requestsOf: RequestsOf = ({ name, resources }) => {
    const own = resourcesOf(resources?.requests);
    const allocated = given.get(name);
    if (allocated) raise(own, resourcesOf(allocated));
    return own;
  };
  const requests = withPodLevel(ofContainers(spec, requestsOf), spec.resources?.requests);
  const scored = withPodLevel(
    ofContainers(spec, (container) => {
      const own = requestsOf(container);
      if (!container.resources?.requests || !("cpu" in container.resources.requests)) {
        own.milliCPU = DEFAULT_MILLI_CPU;
      }
      if (!container.resources?.requests || !("memory" in container.resources.requests)) {
        own.memory = DEFAULT_MEMORY;
      }
      return own;
    }),
    spec.resources?.requests,
  );
  if (spec.overhead) {
    addAmounts(requests, spec.overhead);
    addAmounts(scored, spec.overhead);
  }
  return { requests, scored };
}
