/** How much of its namespace's quota is used: pure, from what is there. */
import { type CountedKind, countedKind, countName } from "../../api/core/resource-quota/counted-kinds.ts";
import { matchesScopes } from "../../api/core/resource-quota/scopes.ts";
import { type Usage, usageOf } from "../../api/core/resource-quota/usage.ts";
import type { ResourceQuota } from "../../api/core/resource-quota.ts";
import type { KubeObject } from "../../api/object.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";

export interface Counted {
  used: Record<string, string>;
  /** When a pod that is overdue to go will count no more, in milliseconds since the epoch. */
  until?: number;
}

const NONE = Quantity.ofValue(0);
/** What an object that does not change uses is worked out once. */
const known = new WeakMap<KubeObject, Usage>();

const limitedKinds = new WeakMap<ResourceQuota, CountedKind[]>();

/** The kinds that the quota limits, each once. */
export function kindsOf(quota: ResourceQuota): readonly CountedKind[] {
  let found = limitedKinds.get(quota);
  if (!found) {
    found = findKinds(quota);
    limitedKinds.set(quota, found);
  }
  return found;
}

function findKinds(quota: ResourceQuota): CountedKind[] {
  const kinds = new Map<string, CountedKind>();
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const kind = countedKind(name);
    if (kind) kinds.set(countName(kind), kind);
  }
  return [...kinds.values()];
}

/**
 * `objects` answers with what is there of a kind in the quota's namespace, or undefined where that is not known: then
 * what was said of it before stays.
 */
export function countUsed(
  quota: ResourceQuota,
  objects: (kind: CountedKind) => Iterable<KubeObject> | undefined,
  now: number,
): Counted {
  const totals = new Map<string, Quantity>();
  const names = Object.keys(quota.spec?.hard ?? {});
  let until: number | undefined;
  for (const kind of kindsOf(quota)) {
    const there = objects(kind);
    if (!there) continue;
    const limited = names.filter((name) => isOf(kind, name));
    for (const name of limited) totals.set(name, NONE);
    for (const object of there) {
      const expiry = expiryOf(kind, object);
      const overdue = expiry !== undefined && expiry < now;
      if (expiry !== undefined && !overdue) until = Math.min(expiry, until ?? expiry);
      if (!matchesScopes(quota, kind, object)) continue;
      add(totals, limited, overdue ? justCounted(kind) : usage(kind, object));
    }
  }
  const before = new Map(Object.entries(quota.status?.used ?? {}));
  const used = names.flatMap((name): [string, string][] => {
    const value = totals.get(name)?.toString() ?? before.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { used: Object.fromEntries(used), until };
}

function isOf({ group, plural }: CountedKind, name: string): boolean {
  const kind = countedKind(name);
  return kind?.group === group && kind.plural === plural;
}

function usage(kind: CountedKind, object: KubeObject): Usage {
  let found = known.get(object);
  if (!found) {
    found = usageOf(kind, object);
    known.set(object, found);
  }
  return found;
}

function justCounted(kind: CountedKind): Usage {
  return new Map([[countName(kind), Quantity.ofValue(1)]]);
}

function add(totals: Map<string, Quantity>, limited: readonly string[], more: Usage): void {
  for (const name of limited) {
    const value = more.get(name);
    if (value) totals.set(name, totals.get(name)!.add(value));
  }
}

/** A pod whose node never came back to end it uses nothing once its grace is over, and over again. */
function expiryOf({ group, plural }: CountedKind, { metadata }: KubeObject): number | undefined {
  if (group !== "" || plural !== "pods") return undefined;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return undefined;
  return Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

/** Whether two lists name the same amounts. */
export function sameAmounts(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  if (!a || !b) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) => Object.hasOwn(b, name) && Quantity.parse(a[name]!).compare(Quantity.parse(b[name]!)) === 0,
    )
  );
}
