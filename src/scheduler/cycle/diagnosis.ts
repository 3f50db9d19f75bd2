/** Why no node takes a pod, in upstream's words. */
import type { Rejection } from "../framework/rejection.ts";

export interface Diagnosis {
  nodes: number;
  /** Why the pod fits no node at all, where no node was asked. */
  everywhere?: Rejection;
  /** How many nodes each rejection holds for. */
  counts: ReadonlyMap<Rejection, number>;
}

export const NO_NODES = "no nodes available to schedule pods";

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …` */
export function messageOf({ nodes, everywhere, counts }: Diagnosis, postFilter = ""): string {
  if (nodes === 0) return NO_NODES;
  let message = `0/${nodes} nodes are available:`;
  if (everywhere) message += ` ${everywhere.reasons.join(", ")}.`;
  else {
    const reasons = countReasons(counts);
    if (reasons.length > 0) message += ` ${reasons.join(", ")}.`;
  }
  return postFilter === "" ? message : `${message} ${postFilter}`;
}

/** As texts in the order of their bytes, as upstream sorts them: the number is a part of the text. */
function countReasons(rejections: ReadonlyMap<Rejection, number>): string[] {
  const counts = new Map<string, number>();
  for (const [{ reasons }, count] of rejections) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort(byText);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
