/** What controllers do with the taints of nodes: compare them, and write them where they differ. */
import { Node, type Taint } from "../../api/core/node.ts";
import type { Client } from "../../client/client.ts";

export interface TaintKey {
  key: string;
  effect: string;
}

export function hasTaint(taints: readonly Taint[] | undefined, { key, effect }: TaintKey): boolean {
  return taints?.some((taint) => taint.key === key && taint.effect === effect) ?? false;
}

/** `taints` without `remove` and with `add`, each added at `timeAdded`; undefined where nothing changes. */
export function changedTaints(
  taints: readonly Taint[] = [],
  add: readonly TaintKey[],
  remove: readonly TaintKey[],
  timeAdded: string,
): Taint[] | undefined {
  const missing = add.filter((taint) => !hasTaint(taints, taint));
  const kept = taints.filter((taint) => !hasTaint(remove as readonly Taint[], taint));
  if (missing.length === 0 && kept.length === taints.length) return undefined;
  return [...kept, ...missing.map(({ key, effect }) => ({ key, effect, timeAdded }))];
}

/** Writes what is given. Refused as a Conflict where the node is no longer the one that was seen. */
export async function patchNode(
  client: Client,
  { metadata }: Node,
  change: { taints?: readonly Taint[]; labels?: Readonly<Record<string, string>> },
): Promise<Node> {
  const { name = "", resourceVersion } = metadata;
  const { taints, labels } = change;
  const patch = {
    metadata: { resourceVersion, ...(labels && { labels }) },
    ...(taints && { spec: { taints: taints.length > 0 ? taints : null } }),
  };
  return await client.resource(Node).patch(name, patch, { type: "strategic" });
}
