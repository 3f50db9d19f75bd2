/** What a pod asks for and may use at the most, as a whole: what its containers say, or what the pod itself says. */
import { addQuantities } from "../../api/core/pod/quantities.ts";
import { aggregateContainerRequests, isPodLevelResource } from "../../api/core/pod/requests.ts";
import type { Container, Pod, PodSpec } from "../../api/schema/core.v1.generated.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";

type Amounts = Readonly<Record<string, string>>;

/** With the pod's overhead. */
export function podRequests({ spec }: Pod): Map<string, string> {
  if (!spec) return new Map();
  const total = aggregateContainerRequests(spec);
  override(total, spec.resources?.requests);
  add(total, spec.overhead);
  return total;
}

/** How much of the resource: thousandths of cores, whole units of all others, of which a pod is one. */
export function requestOf(pod: Pod, resource: string): number {
  if (resource === "pods") return 1;
  return amountOf(podRequests(pod), resource);
}

/** Thousandths of cores, or whole units. */
export function amountOf(
  amounts: ReadonlyMap<string, string> | Amounts | undefined,
  resource: string,
): number {
  return resource === "cpu" ? milliOf(amounts, resource) : unitsOf(amounts, resource);
}

/** With the pod's overhead for what is limited at all. */
export function podLimits({ spec }: Pod): Map<string, string> {
  if (!spec) return new Map();
  const total = aggregateContainerRequests(limitsAsRequests(spec));
  override(total, spec.resources?.limits);
  for (const [name, amount] of Object.entries(spec.overhead ?? {})) {
    const had = total.get(name);
    if (had !== undefined) total.set(name, addQuantities(had, amount));
  }
  return total;
}

/** Whether nothing in the pod may use as much as there is: every container is limited, or the pod is. */
export function isLimited({ spec }: Pod, resource: "cpu" | "memory"): boolean {
  if (!spec) return false;
  if (!isNone(spec.resources?.limits?.[resource])) return true;
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  return all.every(({ resources }) => !isNone(resources?.limits?.[resource]));
}

/** Thousandths; 0 where it is not said. */
export function milliOf(amounts: ReadonlyMap<string, string> | Amounts | undefined, name: string): number {
  const text = lookUp(amounts, name);
  return text === undefined ? 0 : Quantity.parse(text).milliValue();
}

/** Whole units, such as bytes; 0 where it is not said. */
export function unitsOf(amounts: ReadonlyMap<string, string> | Amounts | undefined, name: string): number {
  const text = lookUp(amounts, name);
  return text === undefined ? 0 : Quantity.parse(text).value();
}

/** All that run, ran, or may be put into the pod while it runs. */
export function containersOf({ spec }: Pod): Container[] {
  if (!spec) return [];
  return [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...((spec.ephemeralContainers ?? []) as Container[]),
  ];
}

function lookUp(
  amounts: ReadonlyMap<string, string> | Amounts | undefined,
  name: string,
): string | undefined {
  if (amounts === undefined) return undefined;
  if (amounts instanceof Map) return amounts.get(name) as string | undefined;
  return Object.hasOwn(amounts, name) ? (amounts as Amounts)[name] : undefined;
}

function isNone(amount: string | undefined): boolean {
  return amount === undefined || Quantity.parse(amount).sign() === 0;
}

function limitsAsRequests(spec: PodSpec): PodSpec {
  const asRequests = (container: Container): Container => ({
    ...container,
    resources: { requests: container.resources?.limits },
  });
  return {
    ...spec,
    containers: spec.containers.map(asRequests),
    initContainers: spec.initContainers?.map(asRequests),
  };
}

/** What the pod says itself holds in place of what its containers say. */
function override(total: Map<string, string>, own: Amounts | undefined): void {
  for (const [name, amount] of Object.entries(own ?? {})) {
    if (isPodLevelResource(name)) total.set(name, amount);
  }
}

function add(total: Map<string, string>, more: Amounts | undefined): void {
  for (const [name, amount] of Object.entries(more ?? {})) {
    const had = total.get(name);
    total.set(name, had === undefined ? amount : addQuantities(had, amount));
  }
}
