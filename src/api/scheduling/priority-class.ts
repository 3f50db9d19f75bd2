import { type FieldError, forbiddenField, notSupported } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type { PriorityClass as PriorityClassType } from "../schema/scheduling.v1.generated.ts";

export type PriorityClass = PriorityClassType;

const HIGHEST_OF_USERS = 1_000_000_000;
const SYSTEM_VALUES: ReadonlyMap<string, number> = new Map([
  ["system-node-critical", 2_000_001_000],
  ["system-cluster-critical", 2_000_000_000],
]);
const POLICIES = ["Never", "PreemptLowerPriority"];

/** Maps a name to the number that pods are ranked by. */
export const PriorityClass = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  scope: "Cluster",
  shortNames: ["pc"],
  definition: "scheduling.v1.PriorityClass",
  validateName: nameIsDNSSubdomain,
  defaults(object) {
    object.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate,
  validateUpdate,
  // Created with 1, and nothing that may change raises it.
  generationOf: () => undefined,
  mayDelete: ({ metadata }) =>
    SYSTEM_VALUES.has(metadata.name ?? "")
      ? "this is a system priority class and cannot be deleted"
      : undefined,
  columns: [
    nameColumn,
    { name: "Value", type: "integer", cell: ({ value }) => value ?? 0 },
    { name: "Global-Default", type: "boolean", cell: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    { name: "PreemptionPolicy", type: "string", cell: ({ preemptionPolicy }) => preemptionPolicy ?? "" },
  ],
});

function systemClassWrong(name: string, value: number, globalDefault: boolean): string | undefined {
  const expected = SYSTEM_VALUES.get(name);
  if (expected === undefined) return `${name} is not a known system priority class`;
  if (value !== expected) return `value of ${name} PriorityClass must be ${expected}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validate({
  metadata,
  value = 0,
  globalDefault = false,
  preemptionPolicy,
}: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const { name = "" } = metadata;
  if (name.startsWith("system-")) {
    const wrong = systemClassWrong(name, value, globalDefault);
    if (wrong !== undefined) {
      const why = `priority class names with 'system-' prefix are reserved for system use only. error: ${wrong}`;
      errors.push(forbiddenField(FieldPath.root("metadata", "name"), why));
    }
  } else if (value > HIGHEST_OF_USERS) {
    const why = `maximum allowed value of a user defined priority is ${HIGHEST_OF_USERS}`;
    errors.push(forbiddenField(FieldPath.root("value"), why));
  }
  if (preemptionPolicy !== undefined && !POLICIES.includes(preemptionPolicy)) {
    errors.push(notSupported(FieldPath.root("preemptionPolicy"), preemptionPolicy, POLICIES));
  }
  return errors;
}

function validateUpdate(now: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((now.value ?? 0) !== (old.value ?? 0)) {
    errors.push(forbiddenField(FieldPath.root("value"), "may not be changed in an update."));
  }
  errors.push(
    ...immutableField(FieldPath.root("preemptionPolicy"), now.preemptionPolicy, old.preemptionPolicy),
  );
  return errors;
}
