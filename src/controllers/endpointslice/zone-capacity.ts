/** How much of the cluster's CPU each zone has: so much of a service's traffic is taken to come from there. */
import type { Node } from "../../api/core/node.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { ZONE } from "./make-endpoints.ts";

/** Each zone's part of all, or why that cannot be told. */
export type ZoneParts = ReadonlyMap<string, number> | string;

const CONTROL_PLANE = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** What the node adds to its zone; undefined of nodes that do not count. Equal texts add the same. */
export function contributionOf({ metadata, status }: Node): { zone: string; cpu: number } | undefined {
  const { labels = {} } = metadata;
  if (CONTROL_PLANE.some((label) => Object.hasOwn(labels, label))) return undefined;
  const ready = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
  if (!ready) return undefined;
  return { zone: labels[ZONE] ?? "", cpu: cpuOf(status?.allocatable?.cpu) };
}

export function zoneParts(nodes: readonly Node[]): ZoneParts {
  const byZone = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    const contribution = contributionOf(node);
    if (!contribution) continue;
    const { zone, cpu } = contribution;
    if (zone === "" || cpu === 0) {
      return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
    }
    total += cpu;
    byZone.set(zone, (byZone.get(zone) ?? 0) + cpu);
  }
  if (byZone.size < 2) return "Nodes only ready in one zone";
  for (const [zone, cpu] of byZone) byZone.set(zone, cpu / total);
  return byZone;
}

function cpuOf(cpu: string | number | undefined): number {
  return cpu === undefined ? 0 : Quantity.parse(cpu).milliValue();
}
