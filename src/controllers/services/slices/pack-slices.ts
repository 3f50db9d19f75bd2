/**
 * Puts endpoints into slices with the fewest writes: what is in a slice stays there, new endpoints go first into slices
 * that are written anyhow, then into the fullest that still takes them all, and only then into new ones. Slices are not
 * made even: every write of a slice goes to every node.
 */
import type { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import type { Endpoint, EndpointPort } from "../../../api/schema/discovery.v1.generated.ts";
import { semanticEqual } from "../../../machinery/json/equal.ts";
import { sameLabels } from "../selectors.ts";

/** Endpoints with the same ports. */
export interface PortGroup {
  ports: readonly EndpointPort[];
  endpoints: readonly Endpoint[];
}

export interface Wanted {
  addressType: string;
  groups: readonly PortGroup[];
  labels: Readonly<Record<string, string>>;
  /** Of slices, besides those that tell of a single write; absent where the slices' own stay. */
  annotations?: Readonly<Record<string, string>>;
  most: number;
  /** Whether there is to be a slice without endpoints where there would be none. */
  placeholder: boolean;
}

export interface SliceContent {
  addressType: string;
  endpoints: Endpoint[];
  ports: EndpointPort[];
}

export interface SlicePlan {
  create: SliceContent[];
  update: { slice: EndpointSlice; content: SliceContent }[];
  remove: EndpointSlice[];
}

interface Filling {
  slice: EndpointSlice;
  endpoints: Endpoint[];
  changed: boolean;
}

/** `existing`: slices of the address type. */
export function packSlices(existing: readonly EndpointSlice[], wanted: Wanted): SlicePlan {
  const { addressType } = wanted;
  const plan: SlicePlan = { create: [], update: [], remove: [] };
  const byPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = portKey(slice.ports ?? []);
    const others = byPorts.get(key);
    if (others) others.push(slice);
    else byPorts.set(key, [slice]);
  }
  for (const group of wanted.groups) {
    const key = portKey(group.ports);
    packGroup(byPorts.get(key) ?? [], group, wanted, plan);
    byPorts.delete(key);
  }
  for (const slices of byPorts.values()) plan.remove.push(...slices);
  if (wanted.placeholder && plan.remove.length === existing.length && plan.create.length === 0) {
    const [only] = plan.remove;
    if (plan.remove.length === 1 && isPlaceholder(only!) && !looksOtherwise(only!, wanted)) plan.remove.pop();
    else plan.create.push({ addressType, endpoints: [], ports: [] });
  }
  // A slice that would go may as well be filled anew.
  while (plan.create.length > 0 && plan.remove.length > 0) {
    plan.update.push({ slice: plan.remove.pop()!, content: plan.create.pop()! });
  }
  return plan;
}

function packGroup(
  slices: readonly EndpointSlice[],
  group: PortGroup,
  wanted: Wanted,
  plan: SlicePlan,
): void {
  const { addressType, most } = wanted;
  const ports = [...group.ports];
  const left = new Map<string, Endpoint>();
  for (const endpoint of group.endpoints) left.set(identityOf(endpoint), endpoint);
  const fillings = slices.map((slice) => keepWanted(slice, left, wanted));
  const rest = [...left.values()];
  for (const filling of fillings) {
    if (!filling.changed || filling.endpoints.length === 0) continue;
    filling.endpoints.push(...rest.splice(0, Math.max(0, most - filling.endpoints.length)));
  }
  while (rest.length > 0) {
    const filling = rest.length < most ? fullest(fillings, most - rest.length) : undefined;
    const part = rest.splice(0, most);
    if (!filling) plan.create.push({ addressType, endpoints: part, ports });
    else {
      filling.endpoints.push(...part);
      filling.changed = true;
    }
  }
  for (const { slice, endpoints, changed } of fillings) {
    if (endpoints.length === 0) plan.remove.push(slice);
    else if (changed) plan.update.push({ slice, content: { addressType, endpoints, ports } });
  }
}

/** Takes from `left` what the slice has already. */
function keepWanted(slice: EndpointSlice, left: Map<string, Endpoint>, wanted: Wanted): Filling {
  const filling: Filling = { slice, endpoints: [], changed: looksOtherwise(slice, wanted) };
  for (const endpoint of slice.endpoints ?? []) {
    const identity = identityOf(endpoint);
    const now = left.get(identity);
    if (!now || filling.endpoints.length >= wanted.most) {
      filling.changed = true;
      continue;
    }
    left.delete(identity);
    filling.endpoints.push(now);
    if (!semanticEqual(now, endpoint)) filling.changed = true;
  }
  return filling;
}

/** Of slices that need no write yet, the one with the least room that has at most `size` endpoints. */
function fullest(fillings: readonly Filling[], size: number): Filling | undefined {
  let best: Filling | undefined;
  for (const filling of fillings) {
    const { length } = filling.endpoints;
    if (filling.changed || length === 0 || length > size) continue;
    if (!best || length > best.endpoints.length) best = filling;
  }
  return best;
}

function looksOtherwise({ metadata }: EndpointSlice, { labels, annotations }: Wanted): boolean {
  if (!sameLabels(metadata.labels, labels)) return true;
  if (!annotations) return false;
  return Object.keys(annotations).some((name) => metadata.annotations?.[name] !== annotations[name]);
}

function isPlaceholder({ endpoints, ports }: EndpointSlice): boolean {
  return (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
}

function identityOf({ addresses, targetRef }: Endpoint): string {
  return `${addresses.join(",")} ${targetRef?.uid ?? ""}`;
}

export function portKey(ports: readonly EndpointPort[]): string {
  return ports
    .map(({ name = "", port, protocol = "TCP", appProtocol = "" }) =>
      JSON.stringify([name, port, protocol, appProtocol]),
    )
    .sort()
    .join();
}
