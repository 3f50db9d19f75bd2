/**
 * Hints that spread the endpoints of a service over zones by what each zone has of the cluster's CPU, for services that
 * ask for `service.kubernetes.io/topology-mode: Auto`. Endpoints stay in their own zone as far as that goes.
 */
import type { Service } from "../../api/core/services.ts";
import type { Endpoint } from "../../api/schema/discovery.v1.generated.ts";
import type { ZoneParts } from "./zone-capacity.ts";

const MODE = "service.kubernetes.io/topology-mode";
const OLD_MODE = "service.kubernetes.io/topology-aware-hints";
/** So much more than its part may an endpoint get. */
const OVERLOAD = 0.2;

export type Hinted = { zones: ReadonlyMap<Endpoint, string> } | { disabled: string };

export function asksForHints({ metadata }: Service): boolean {
  const mode = metadata.annotations?.[OLD_MODE] ?? metadata.annotations?.[MODE];
  return mode === "Auto" || mode === "auto";
}

/** The zone that each ready endpoint is for, or why there are none. */
export function hintZones(endpoints: readonly Endpoint[], parts: ZoneParts): Hinted {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready);
  if (typeof parts === "string") return { disabled: parts };
  if (parts.size > ready.length) {
    return {
      disabled: `Insufficient number of endpoints (${ready.length} endpoints, ${parts.size} zones)`,
    };
  }
  const least = new Map<string, number>();
  let sum = 0;
  for (const [zone, part] of parts) {
    const minimum = Math.ceil((part * ready.length) / (1 + OVERLOAD));
    least.set(zone, minimum);
    sum += minimum;
  }
  if (sum > ready.length) {
    return {
      disabled:
        "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold",
    };
  }
  if (ready.some(({ zone }) => !zone)) {
    return { disabled: "One or more endpoints do not have a zone specified" };
  }
  return { zones: assign(ready, parts, least) };
}

function assign(
  ready: readonly Endpoint[],
  parts: ReadonlyMap<string, number>,
  least: ReadonlyMap<string, number>,
): Map<Endpoint, string> {
  const byZone = new Map<string, Endpoint[]>();
  for (const zone of parts.keys()) byZone.set(zone, []);
  /** Of zones whose nodes do not count: free to go anywhere. */
  const free: Endpoint[] = [];
  // In an order of their own, so that the same endpoints are moved at every look.
  for (const endpoint of ready.toSorted((a, b) => (a.addresses[0]! < b.addresses[0]! ? -1 : 1))) {
    (byZone.get(endpoint.zone ?? "") ?? free).push(endpoint);
  }
  const surplus = (zone: string): number => byZone.get(zone)!.length - parts.get(zone)! * ready.length;
  const zones = [...byZone.keys()].sort();
  const spare = (zone: string): boolean => byZone.get(zone)!.length > least.get(zone)!;
  /** There is one while another has too few: what all need at least is not more than there is. */
  const richest = (): string =>
    zones.filter(spare).reduce((best, zone) => (surplus(zone) > surplus(best) ? zone : best));
  const neediest = (): string => zones.reduce((best, zone) => (surplus(zone) < surplus(best) ? zone : best));
  for (const endpoint of free) byZone.get(neediest())!.push(endpoint);
  for (const zone of zones) {
    const own = byZone.get(zone)!;
    while (own.length < least.get(zone)!) own.push(byZone.get(richest())!.pop()!);
  }
  const assigned = new Map<Endpoint, string>();
  for (const [zone, endpoints] of byZone) for (const endpoint of endpoints) assigned.set(endpoint, zone);
  return assigned;
}
