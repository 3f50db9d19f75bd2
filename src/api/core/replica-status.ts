/** The status of kinds that keep a number of pods alive. */
import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import type { KubeObject } from "../object.ts";
import type { UpdateSubresource } from "../resource.ts";
import { nonNegative } from "./pod/checks.ts";
import { take } from "./take.ts";

const STATUS = FieldPath.root("status");

interface ReplicaCounts {
  replicas?: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
}

/** A status subresource that leaves the spec as it is. */
export function observingStatus<T extends KubeObject & { spec?: unknown }>(
  validate: (object: T, old: T) => FieldError[],
): UpdateSubresource<T> {
  return {
    acts: "update",
    verbs: ["get", "patch", "update"],
    prepare: (object, old) => take(object, old, "spec"),
    validate: (object, old) => validate(object, old),
    resets: ["spec"],
  };
}

export function validateReplicaStatus(now: ReplicaCounts, was: ReplicaCounts): FieldError[] {
  const errors: FieldError[] = [];
  const names = [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
  ] as const;
  for (const name of names) nonNegative(errors, now[name], STATUS, name);
  const atMost = (name: (typeof names)[number], limit: (typeof names)[number], why: string) => {
    const value = now[name] ?? 0;
    if (value > (now[limit] ?? 0)) errors.push(invalidValue(STATUS.child(name), value, why));
  };
  atMost("fullyLabeledReplicas", "replicas", "cannot be greater than status.replicas");
  atMost("readyReplicas", "replicas", "cannot be greater than status.replicas");
  atMost("availableReplicas", "replicas", "cannot be greater than status.replicas");
  atMost("availableReplicas", "readyReplicas", "cannot be greater than readyReplicas");
  if ((now.observedGeneration ?? 0) < (was.observedGeneration ?? 0)) {
    const why = `must not decrement, current value is ${was.observedGeneration}`;
    errors.push(invalidValue(STATUS.child("observedGeneration"), now.observedGeneration ?? 0, why));
  }
  return errors;
}
