import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isBelow } from "../../machinery/json/exact-integer.ts";
import { immutableField } from "../core/immutable.ts";
import { validateNodeSelector } from "../core/pod/validate-scheduling.ts";
import type {
  Device,
  ResourcePool,
  ResourceSlice,
  ResourceSliceSpec,
} from "../schema/resource.v1.generated.ts";
import {
  validateDriver,
  validateLabelName,
  validatePoolName,
  validateSet,
  validateSubdomain,
} from "./checks.ts";
import { validateCounters, validateDevice } from "./validate-device.ts";

const DEVICES_MAX = 128;
/** Where a device has taints or consumes counters. */
const ADVANCED_DEVICES_MAX = 64;
const COUNTER_SETS_MAX = 8;
const ONE_OF = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
const TRUE_OR_UNSET = "must be either unset or set to true";

export function validateResourceSlice({ spec }: ResourceSlice): FieldError[] {
  return validateSpec(spec, undefined);
}

export function validateResourceSliceUpdate({ spec }: ResourceSlice, old: ResourceSlice): FieldError[] {
  return validateSpec(spec, old.spec);
}

function validateSpec(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  validateDriver(spec.driver, path.child("driver"), errors);
  validatePool(spec.pool, path.child("pool"), errors);
  if (old) {
    errors.push(
      ...immutableField(path.child("pool", "name"), spec.pool?.name, old.pool.name),
      ...immutableField(path.child("driver"), spec.driver, old.driver),
      ...immutableField(path.child("nodeName"), spec.nodeName, old.nodeName),
    );
  }
  validateNodes(spec, path, errors);
  if (spec.sharedCounters && spec.devices) {
    errors.push(invalidValue(path, "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  const before = new Map((old?.devices ?? []).map((device) => [device.name, device]));
  validateSet(
    spec.devices,
    spec.devices?.some(isAdvanced) ? ADVANCED_DEVICES_MAX : DEVICES_MAX,
    path.child("devices"),
    errors,
    (device, at) =>
      validateDevice(device, before.get(device.name), spec.perDeviceNodeSelection === true, at, errors),
    ({ name }) => name,
  );
  validateSet(
    spec.sharedCounters,
    COUNTER_SETS_MAX,
    path.child("sharedCounters"),
    errors,
    ({ name, counters }, at) => {
      if (!name) errors.push(required(at.child("name")));
      else validateLabelName(name, at.child("name"), errors);
      validateCounters(counters, at.child("counters"), errors);
    },
    ({ name }) => name,
  );
  return errors;
}

function isAdvanced({ taints = [], consumesCounters = [] }: Device): boolean {
  return taints.length > 0 || consumesCounters.length > 0;
}

function validatePool(pool: ResourcePool | undefined, path: FieldPath, errors: FieldError[]): void {
  const { name, resourceSliceCount = 0, generation = 0 } = pool ?? {};
  validatePoolName(name, path.child("name"), errors);
  if (isBelow(resourceSliceCount, 1)) {
    const why = "must be greater than zero";
    errors.push(invalidValue(path.child("resourceSliceCount"), resourceSliceCount, why));
  }
  if (isBelow(generation, 0)) {
    const why = "must be greater than or equal to zero";
    errors.push(invalidValue(path.child("generation"), generation, why));
  }
}

function validateNodes(
  { nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: ResourceSliceSpec,
  path: FieldPath,
  errors: FieldError[],
): void {
  const set: string[] = [];
  if (nodeName === "") {
    const why = "must be either unset or set to a non-empty string";
    errors.push(invalidValue(path.child("nodeName"), nodeName, why));
  } else if (nodeName !== undefined) {
    set.push("`nodeName`");
    validateSubdomain(nodeName, path.child("nodeName"), errors);
  }
  if (nodeSelector) {
    set.push("`nodeSelector`");
    const at = path.child("nodeSelector");
    validateNodeSelector(nodeSelector, at, errors);
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const why = "must have exactly one node selector term";
      errors.push(invalidValue(at.child("nodeSelectorTerms"), terms, why));
    }
  }
  if (allNodes === true) set.push("`allNodes`");
  else if (allNodes === false) errors.push(invalidValue(path.child("allNodes"), false, TRUE_OR_UNSET));
  if (perDeviceNodeSelection === true) set.push("`perDeviceNodeSelection`");
  else if (perDeviceNodeSelection === false) {
    errors.push(invalidValue(path.child("perDeviceNodeSelection"), false, TRUE_OR_UNSET));
  }
  if (set.length === 0) errors.push(required(path, ONE_OF));
  else if (set.length > 1) {
    errors.push(invalidValue(path, `{${set.join(", ")}}`, `${ONE_OF}, but multiple fields are set`));
  }
}
