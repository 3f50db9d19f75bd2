import type { JsonObject } from "../json/json-object.ts";
import type { Schemas } from "../schema/schema.ts";
import { compare, type Difference, fieldsOfNew } from "./compare.ts";
import { difference, differenceBelow, type FieldSet, isEmpty, union } from "./field-set.ts";
import {
  asksForReset,
  capped,
  encoded,
  entryOf,
  isSame,
  type ManagedFieldsEntry,
  type Manager,
  startingFrom,
} from "./managed-fields.ts";
import { rootShape } from "./shape.ts";

/** What the functions here need of an object. */
export interface Managed {
  metadata: { uid?: string; managedFields?: ManagedFieldsEntry[] };
}

export interface Updating {
  schemas: Schemas;
  /** The definition of the kind in the version that the client used. */
  id: string;
  /** Absent on create. */
  live: Managed | undefined;
  /** After defaulting and before admission, as upstream. Its managedFields are what the client sent. */
  updated: Managed;
  manager: string;
  operation?: "Update";
  apiVersion: string;
  /** "" for the main endpoint. */
  subresource: string;
  /** RFC 3339, seconds. */
  time: string;
  /** Paths that the endpoint takes back whatever the client sends: `status`. */
  resets: readonly string[];
}

/**
 * metadata.managedFields of an object that is created or changed by anything but an apply. Where nothing that is
 * tracked changed the answer is the live object's array itself; undefined where the object is not tracked.
 */
export function updateManagedFields(write: Updating): ManagedFieldsEntry[] | undefined {
  const sent = write.updated.metadata.managedFields;
  const live = write.live?.metadata.managedFields;
  const shape = rootShape(write.schemas, write.id, write.resets);
  const updated = write.updated as unknown as JsonObject;
  const self: Manager = {
    name: write.manager,
    operation: "Update",
    apiVersion: write.apiVersion,
    subresource: write.subresource,
    time: write.time,
    set: {},
  };
  if (!write.live) {
    const set = fieldsOfNew(shape, updated);
    if (!sent || sent.length === 0 || asksForReset(sent)) {
      return isEmpty(set) ? undefined : [entryOf({ ...self, set })];
    }
    return merged(startingFrom(undefined, sent, ""), self, { touched: set, removed: {} });
  }
  const managers = startingFrom(live, sent, write.subresource);
  if (managers.length === 0) return undefined;
  const change = compare(shape, write.live as unknown as JsonObject, updated);
  const untouched = live !== undefined && managers.every((m, i) => m.entry === live[i]);
  if (!change) return untouched ? live : encoded(managers);
  const entries = merged(managers, self, change);
  const same = untouched && entries?.length === live.length && entries.every((e, i) => e === live[i]);
  return same ? live : entries;
}

function merged(
  managers: readonly Manager[],
  self: Manager,
  change: Difference,
): ManagedFieldsEntry[] | undefined {
  const result: Manager[] = [];
  let own: FieldSet = change.touched;
  for (const manager of managers) {
    const set = reduced(manager.set, change);
    if (isSame(manager, self)) {
      // Where only removals happened the entry keeps its time.
      if (isEmpty(change.touched))
        result.push(set === manager.set ? manager : { ...manager, set, entry: undefined });
      else own = union(set, change.touched);
    } else result.push(set === manager.set ? manager : { ...manager, set, entry: undefined });
  }
  if (!isEmpty(change.touched)) result.push({ ...self, set: own });
  return encoded(capped(result));
}

/** What a manager keeps after another's write. */
export function reduced(set: FieldSet, { touched, removed }: Difference): FieldSet {
  return differenceBelow(difference(set, touched), removed);
}

/**
 * The managers of an object that had none when it is first applied to: all that is there belongs to one that stands
 * for the time before.
 */
export function beforeFirstApply(
  write: Omit<Updating, "updated" | "manager" | "live">,
  live: Managed,
): Manager[] {
  const set = fieldsOfNew(rootShape(write.schemas, write.id, write.resets), live as unknown as JsonObject);
  if (isEmpty(set)) return [];
  return [
    {
      name: "before-first-apply",
      operation: "Update",
      apiVersion: write.apiVersion,
      subresource: write.subresource,
      time: write.time,
      set,
    },
  ];
}
