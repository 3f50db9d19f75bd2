/** metadata.managedFields: who manages what, read and written. */

import { EMPTY, equalSets, type FieldSet, isEmpty, union } from "./field-set.ts";
import { canonical } from "./path-element.ts";

/** metav1.ManagedFieldsEntry. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: "Apply" | "Update";
  apiVersion?: string;
  time?: string;
  fieldsType?: "FieldsV1";
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
}

/** One manager with its set. Values are never changed; a change makes another. */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: FieldSet;
  /** The entry this was read from, as long as nothing of it has changed. */
  readonly entry?: ManagedFieldsEntry;
}

/** Update entries beyond this many are put together as one, the oldest first. */
const MAX_UPDATE_MANAGERS = 10;
const ANCIENT = "ancient-changes";

/** Whether two are the same manager: an applier keeps its entry when it applies another version. */
export function isSame(a: Omit<Manager, "set" | "time">, b: Omit<Manager, "set" | "time">): boolean {
  return (
    a.name === b.name &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

/** What the server itself stored: taken as it is. */
export function stored(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map((entry) => managerOf(entry, (entry.fieldsV1 as FieldSet | undefined) ?? EMPTY));
}

function managerOf(entry: ManagedFieldsEntry, set: FieldSet): Manager {
  return {
    name: entry.manager ?? "",
    operation: entry.operation!,
    apiVersion: entry.apiVersion ?? "",
    subresource: entry.subresource ?? "",
    time: entry.time,
    set,
    entry,
  };
}

/** What a client sent, put into the server's form; undefined where it makes no sense. */
export function received(entries: readonly ManagedFieldsEntry[]): Manager[] | undefined {
  const managers: Manager[] = [];
  for (const entry of entries) {
    if (entry.operation !== "Apply" && entry.operation !== "Update") return undefined;
    const set = entry.fieldsV1 === undefined ? EMPTY : canonical(entry.fieldsV1);
    if (!set) return undefined;
    const manager = managerOf(entry, set);
    const at = managers.findIndex((other) => isSame(other, manager));
    if (at >= 0) managers[at] = manager;
    else managers.push(equalSets(set, EMPTY) ? manager : { ...manager, entry: undefined });
  }
  return managers;
}

/** `[{}]` is how a client asks to forget all managers. */
export function asksForReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  return entries?.length === 1 && Object.values(entries[0]!).every((value) => value === undefined);
}

/**
 * The managers that a write starts from. A subresource never lets the client change them, and who sends none, or what
 * cannot be read, leaves them as they are.
 */
export function startingFrom(
  live: readonly ManagedFieldsEntry[] | undefined,
  sent: readonly ManagedFieldsEntry[] | undefined,
  subresource: string,
): Manager[] {
  if (subresource !== "" || sent === live || !sent || sent.length === 0) return stored(live);
  if (asksForReset(sent)) return [];
  if (live && sameEntries(live, sent, true)) return stored(live);
  return received(sent) ?? stored(live);
}

/** Whether two lists say the same; without `times`, but for when. */
export function sameEntries(
  a: readonly ManagedFieldsEntry[],
  b: readonly ManagedFieldsEntry[],
  times: boolean,
): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  return a.every((entry, i) => {
    const other = b[i]!;
    return (
      entry === other ||
      (entry.manager === other.manager &&
        entry.operation === other.operation &&
        entry.apiVersion === other.apiVersion &&
        entry.subresource === other.subresource &&
        (!times || entry.time === other.time) &&
        equalSets((entry.fieldsV1 ?? {}) as FieldSet, (other.fieldsV1 ?? {}) as FieldSet))
    );
  });
}

/** The entries to store: Apply before Update, older before newer. Undefined where nobody owns anything. */
export function encoded(managers: readonly Manager[]): ManagedFieldsEntry[] | undefined {
  const entries = managers.filter((m) => !isEmpty(m.set)).map((m) => m.entry ?? entryOf(m));
  if (entries.length === 0) return undefined;
  return entries.length === 1 ? entries : entries.sort(inOrder);
}

export function entryOf({
  name,
  operation,
  apiVersion,
  time,
  set,
  subresource,
}: Manager): ManagedFieldsEntry {
  const entry: ManagedFieldsEntry = { manager: name, operation, apiVersion };
  if (time !== undefined) entry.time = time;
  entry.fieldsType = "FieldsV1";
  entry.fieldsV1 = shared(set) as Record<string, unknown>;
  if (subresource !== "") entry.subresource = subresource;
  return entry;
}

/** Sets of entries by their text: thousands of objects made alike have the same ones, which they then share. */
const shares = new Map<string, FieldSet>();
const MOST_SHARES = 1000;

function shared(set: FieldSet): FieldSet {
  const text = JSON.stringify(set);
  const known = shares.get(text);
  if (known) return known;
  if (shares.size >= MOST_SHARES) shares.clear();
  shares.set(text, set);
  return set;
}

function inOrder(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    byText(a.operation, b.operation) ||
    byText(a.time, b.time) ||
    byText(a.manager, b.manager) ||
    byText(a.apiVersion, b.apiVersion) ||
    byText(a.subresource, b.subresource)
  );
}

function byText(a = "", b = ""): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** At most ten updaters: of the oldest, those of one version become one `ancient-changes`. */
export function capped(managers: readonly Manager[]): readonly Manager[] {
  const updaters = managers.filter((m) => m.operation === "Update");
  if (updaters.length <= MAX_UPDATE_MANAGERS) return managers;
  updaters.sort((a, b) => byText(a.time, b.time) || byText(a.name, b.name));
  const result = new Set(managers);
  const first = new Map<string, Manager>();
  let count = updaters.length;
  for (const updater of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) break;
    const bucket = first.get(updater.apiVersion);
    if (!bucket) {
      first.set(updater.apiVersion, updater);
      continue;
    }
    const both: Manager = {
      name: ANCIENT,
      operation: "Update",
      apiVersion: updater.apiVersion,
      subresource: "",
      time: updater.time,
      set: union(bucket.set, updater.set),
    };
    result.delete(bucket);
    result.delete(updater);
    result.add(both);
    first.set(updater.apiVersion, both);
    count--;
  }
  return [...result];
}
