/** Pods that filters cannot tell apart: what was found for one of them on a node holds for the others. */
import type { NodeFilter } from "./plugin.ts";

let lastFilters: readonly NodeFilter[] | undefined;
let lastKey: string | undefined;

/** Equal for twins under the same profile; undefined where a filter looks at more than the pod and one node. */
export function twinKey(filters: readonly NodeFilter[]): string | undefined {
  // A cycle asks several times.
  if (filters !== lastFilters) {
    lastFilters = filters;
    lastKey = keyOf(filters);
  }
  return lastKey;
}

function keyOf(filters: readonly NodeFilter[]): string | undefined {
  let key = "";
  for (const filter of filters) {
    if (!filter.twin) return undefined;
    key += `${filter.twin()}\n`;
  }
  return key;
}
