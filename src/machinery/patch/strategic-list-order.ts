/** In which order the elements of a merged list stand after a strategic merge patch. */
import { deepEqual } from "../json/equal.ts";
import { isObject, own } from "../json/json-object.ts";
import { goText } from "./go-text.ts";

/**
 * Whether a list to merge holds maps; one of primitives otherwise. Throws RangeError for lists in lists, and Error
 * where the elements are not of one kind.
 */
export function isListOfMaps(...lists: readonly (readonly unknown[])[]): boolean {
  let maps: boolean | undefined;
  for (const list of lists) {
    for (const item of list) {
      if (Array.isArray(item)) throw new RangeError("lists of lists are not supported");
      const map = isObject(item);
      if (maps !== undefined && maps !== map) throw new Error("list element types are not identical");
      maps = map;
    }
  }
  return maps ?? false;
}

export function withoutDuplicates(items: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  return items.filter((item) => !seen.has(item) && seen.add(item));
}

/** Elements named in `order` in its order, the others in that of `original`, and the two woven together. */
export function orderedBy(
  merged: readonly unknown[],
  order: readonly unknown[],
  original: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const key = (item: unknown) => (mergeKey !== "" && isObject(item) ? own(item, mergeKey) : item);
  const wanted = positions(order, key);
  const server = positions(original, key);
  const named = merged.filter((item) => wanted.has(key(item)));
  const others = merged.filter((item) => !wanted.has(key(item)));
  const at = (where: Map<unknown, number>, item: unknown) => where.get(key(item)) ?? -1;
  named.sort((a, b) => at(wanted, a) - at(wanted, b));
  others.sort((a, b) => at(server, a) - at(server, b));
  return woven(others, named, (item) => at(server, item));
}

/** The server's elements go where the server had them before a named one; otherwise named ones go first. */
function woven(others: unknown[], named: unknown[], before: (item: unknown) => number): unknown[] {
  const result: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < others.length && j < named.length) {
    const left = before(others[i]);
    const right = before(named[j]);
    if (left >= 0 && right >= 0 && left < right) result.push(others[i++]);
    else result.push(named[j++]);
  }
  while (i < others.length) result.push(others[i++]);
  while (j < named.length) result.push(named[j++]);
  return result;
}

function positions(items: readonly unknown[], key: (item: unknown) => unknown): Map<unknown, number> {
  const found = new Map<unknown, number>();
  for (let i = 0; i < items.length; i++) {
    const k = key(items[i]);
    if (!found.has(k)) found.set(k, i);
  }
  return found;
}

/** What is wrong where the elements of a patch do not stand in the order that the patch itself gives. */
export function checkAgainstOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
): string | undefined {
  if (patch.length === 0 || order.length === 0) return undefined;
  const staying = patch.filter(
    (item) => !(mergeKey !== "" && isObject(item) && own(item, "$patch") === "delete"),
  );
  let matched = 0;
  for (const wanted of order) {
    if (matched >= staying.length) break;
    const item = staying[matched];
    const same =
      mergeKey !== "" && isObject(item) && isObject(wanted)
        ? deepEqual(own(item, mergeKey), own(wanted, mergeKey))
        : item === wanted;
    if (same) matched++;
  }
  if (matched === staying.length) return undefined;
  return `The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`;
}
