import { invalid, required } from "../field/field-error.ts";
import { FieldPath } from "../field/path.ts";
import { deepEqual } from "../json/equal.ts";
import { isObject, type JsonObject, own } from "../json/json-object.ts";
import { badRequest, StatusError } from "../status/status-error.ts";
import { appliedFields } from "./applied-fields.ts";
import { compare } from "./compare.ts";
import { applyConflict, type Conflict } from "./conflicts.ts";
import { difference, EMPTY, equalSets, type FieldSet, intersection, isEmpty, union } from "./field-set.ts";
import { capped, encoded, isSame, type Manager, sameEntries, stored } from "./managed-fields.ts";
import { copied, mergeApplied, prune, unclaimed } from "./merge.ts";
import { rootShape, type Struct } from "./shape.ts";
import { beforeFirstApply, type Managed, reduced, type Updating } from "./update-managed-fields.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** What upstream lets all annotations together weigh. */
const MAX_ANNOTATIONS = 256 * 1024;

export interface Applying extends Omit<Updating, "live" | "updated"> {
  /** Absent where the apply creates. */
  live: Managed | undefined;
  /** As the client sent it: not defaulted, nulls and all. */
  applied: JsonObject;
  force: boolean;
  /** Gives the merged object, its own copy, the form in which it is stored: decoding and defaults. */
  prepare(merged: JsonObject): Managed;
}

/**
 * Server-side apply. Answers the object to go on with, managedFields in it; throws Conflict where others own what the
 * configuration would change, and BadRequest where it is none.
 */
export function serverSideApply(apply: Applying): { object: Managed } {
  const { applied, live } = apply;
  if (apply.manager === "") {
    const missing = required(FieldPath.root("fieldManager"), "is required for apply patch");
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [missing]);
  }
  if (applied.apiVersion !== apply.apiVersion) {
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${String(applied.apiVersion)}, expected: ${apply.apiVersion}`,
    );
  }
  const metadata = own(applied, "metadata");
  if (isObject(metadata) && own(metadata, "managedFields") !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const shape = rootShape(apply.schemas, apply.id, apply.resets);
  const { set, problems } = appliedFields(shape, applied);
  if (problems.length > 0) throw untypable(applied, problems);

  const self: Manager = {
    name: apply.manager,
    operation: "Apply",
    apiVersion: apply.apiVersion,
    subresource: apply.subresource,
    time: apply.time,
    set,
  };
  let managers = stored(live?.metadata.managedFields);
  if (live && managers.length === 0) managers = beforeFirstApply(apply, live);
  const outcome = applyOver(shape, live, applied, managers, self, apply.force);
  if (apply.manager === "kubectl") syncLastApplied(outcome.merged, applied);
  const object = apply.prepare(outcome.merged);
  if (!live || !repeats(live, object, outcome.managers, self)) {
    object.metadata.managedFields = encoded(capped(outcome.managers));
  }
  return { object };
}

/**
 * Whether the apply says again what it said before, and with its defaults the object is what it was. Then the object
 * gets its managedFields back: not even the time of the apply moves, and nothing is written.
 */
function repeats(live: Managed, object: Managed, managers: readonly Manager[], self: Manager): boolean {
  const before = live.metadata.managedFields;
  const last = stored(before).find((manager) => isSame(manager, self));
  if (!before || !last) return false;
  const again = managers.map((manager) => (manager === self ? { ...self, time: last.time } : manager));
  if (!sameEntries(encoded(capped(again)) ?? [], before, true)) return false;
  object.metadata.managedFields = before;
  return deepEqual(object, live);
}

/** 500 without a reason, as upstream answers what it cannot read by the schema. */
function untypable(applied: JsonObject, problems: readonly string[]): StatusError {
  const metadata = (own(applied, "metadata") ?? {}) as { namespace?: string; name?: string };
  const name = `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
  const text =
    problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
  const version = String(applied.apiVersion);
  return new StatusError(
    "",
    `failed to create typed patch object (${name}; ${version.includes("/") ? "" : "/"}${version}, Kind=${String(applied.kind)}): ${text}`,
    undefined,
    500,
  );
}

interface Outcome {
  merged: JsonObject;
  managers: Manager[];
}

function applyOver(
  shape: Struct,
  live: Managed | undefined,
  applied: JsonObject,
  managers: readonly Manager[],
  self: Manager,
  force: boolean,
): Outcome {
  const before = live as unknown as JsonObject | undefined;
  const others = managers.filter((manager) => !isSame(manager, self));
  const last = managers.find((manager) => isSame(manager, self));
  const merged = (
    before ? mergeApplied(shape, withoutManagers(before), applied) : copied(applied)
  ) as JsonObject;
  if (last) {
    const claimed = others.reduce((all, manager) => union(all, manager.set), self.set);
    prune(shape, merged, unclaimed(shape, last.set, claimed));
  }
  const change = before ? compare(shape, before, merged) : undefined;
  if (change) {
    const conflicts = conflictsOf(others, change.touched);
    if (conflicts.length > 0 && !force) refuse(shape, before!, self, conflicts);
  }
  const rest = !change
    ? others
    : others.map((manager) => {
        const set = reduced(manager.set, change);
        return set === manager.set ? manager : { ...manager, set, entry: undefined };
      });
  const kept = last && !change && last.apiVersion === self.apiVersion && equalSets(last.set, self.set);
  return { merged, managers: [...rest, kept ? last : self] };
}

function withoutManagers(object: JsonObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata as JsonObject;
  return { ...object, metadata };
}

function conflictsOf(others: readonly Manager[], touched: FieldSet): Conflict[] {
  return others
    .map((manager) => ({ manager, fields: intersection(manager.set, touched) }))
    .filter(({ fields }) => !isEmpty(fields));
}

/**
 * Throws the conflicts, but for those with which `kubectl apply` only takes over what `kubectl apply` without
 * server-side apply had set: fields of the last-applied annotation that are still as it says.
 */
function refuse(shape: Struct, live: JsonObject, self: Manager, conflicts: readonly Conflict[]): void {
  const own = self.name === "kubectl" ? lastAppliedFields(shape, live) : EMPTY;
  const left = conflicts
    .map(({ manager, fields }) => ({ manager, fields: difference(fields, own) }))
    .filter(({ fields }) => !isEmpty(fields));
  if (left.length > 0) throw applyConflict(left);
}

function annotation(object: JsonObject): string | undefined {
  const annotations = own((own(object, "metadata") ?? {}) as JsonObject, "annotations");
  const text = isObject(annotations) ? own(annotations, LAST_APPLIED) : undefined;
  return typeof text === "string" ? text : undefined;
}

function lastAppliedFields(shape: Struct, live: JsonObject): FieldSet {
  const text = annotation(live);
  if (text === undefined) return EMPTY;
  let configuration: unknown;
  try {
    configuration = JSON.parse(text);
  } catch {
    return EMPTY;
  }
  if (!isObject(configuration)) return EMPTY;
  const { set, problems } = appliedFields(shape, configuration);
  if (problems.length > 0) return EMPTY;
  const change = compare(shape, configuration, live);
  return change ? reduced(set, change) : set;
}

/** kubectl's own annotation follows what kubectl applies, so that a client-side apply may come after. */
function syncLastApplied(object: JsonObject, applied: JsonObject): void {
  if (annotation(object) === undefined) return;
  const configuration = copied(applied) as JsonObject;
  const metadata = (own(configuration, "metadata") ?? {}) as JsonObject;
  if (isObject(metadata.annotations)) {
    delete metadata.annotations[LAST_APPLIED];
    if (Object.keys(metadata.annotations).length === 0) delete metadata.annotations;
  }
  const annotations = (object.metadata as JsonObject).annotations as Record<string, string>;
  annotations[LAST_APPLIED] = `${JSON.stringify(sorted(configuration))}\n`;
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) size += key.length + value.length;
  if (size > MAX_ANNOTATIONS) delete annotations[LAST_APPLIED];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
