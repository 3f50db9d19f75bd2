/** One device of a slice: what it is, how much of it there is, and where it can be used. */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { byteLength, isValidLabelValue } from "../../machinery/names/names.ts";
import { validateNodeSelector } from "../core/pod/validate-scheduling.ts";
import type { Counter, Device, DeviceAttribute, DeviceTaint } from "../schema/resource.v1.generated.ts";
import {
  TAINT_EFFECTS,
  validateAttributeName,
  validateBindingConditions,
  validateKeyName,
  validateLabelName,
  validateList,
  validateSet,
  validateSubdomain,
} from "./checks.ts";
import { validateRequestPolicy } from "./validate-request-policy.ts";

const ATTRIBUTES_MAX = 32;
const COUNTERS_MAX = 32;
const CONSUMPTIONS_MAX = 2;
const TAINTS_MAX = 16;
const VALUE_MAX = 64;
/** The longest domain, the slash and the longest identifier. */
const KEY_MAX = 63 + 1 + 32;
const WHERE =
  "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

/** Of `old`, the device of the same name, what did not change is not looked at again. */
export function validateDevice(
  device: Device,
  old: Device | undefined,
  choosesNodes: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { name = "", attributes = {}, capacity = {}, taints } = device;
  validateLabelName(name, path.child("name"), errors);
  const described = Object.keys(attributes).length + Object.keys(capacity).length;
  if (described > ATTRIBUTES_MAX) {
    const why = `the total number of attributes and capacities must not exceed ${ATTRIBUTES_MAX}`;
    errors.push(invalidValue(path, described, why));
  }
  for (const [key, attribute] of Object.entries(attributes)) {
    const at = path.child("attributes");
    validateAttributeName(key, at, errors);
    validateAttribute(attribute, at.key(shortened(key, KEY_MAX)), errors);
  }
  if (!old || !semanticEqual(old.capacity, capacity))
    validateCapacity(device, path.child("capacity"), errors);
  if (!old || !semanticEqual(old.taints, taints)) {
    validateList(taints, TAINTS_MAX, path.child("taints"), errors, (taint, at) =>
      validateTaint(taint, at, errors),
    );
  }
  validateSet(
    device.consumesCounters,
    CONSUMPTIONS_MAX,
    path.child("consumesCounters"),
    errors,
    ({ counterSet, counters }, at) => {
      if (!counterSet) errors.push(required(at.child("counterSet")));
      else validateLabelName(counterSet, at.child("counterSet"), errors);
      validateCounters(counters, at.child("counters"), errors);
    },
    ({ counterSet }) => counterSet,
  );
  validateNodes(device, choosesNodes, path, errors);
  validateBindingConditions(device, path, errors);
}

function validateCapacity(
  { capacity = {}, allowMultipleAllocations }: Device,
  path: FieldPath,
  errors: FieldError[],
): void {
  for (const [key, { value, requestPolicy }] of Object.entries(capacity)) {
    validateAttributeName(key, path, errors);
    if (!requestPolicy) continue;
    const at = path.key(shortened(key, KEY_MAX)).child("requestPolicy");
    if (allowMultipleAllocations) validateRequestPolicy(requestPolicy, value, at, errors);
    else errors.push(forbiddenField(at, "allowMultipleAllocations must be true"));
  }
}

function validateNodes(
  { nodeName, nodeSelector, allNodes }: Device,
  choosesNodes: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!choosesNodes) {
    if (nodeName === undefined && !nodeSelector && allNodes === undefined) return;
    const why =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    errors.push(invalidValue(path, null, why));
    return;
  }
  const set: string[] = [];
  if (nodeName === "") errors.push(invalidValue(path.child("nodeName"), nodeName, "must not be empty"));
  else if (nodeName !== undefined) {
    set.push("`nodeName`");
    validateSubdomain(nodeName, path.child("nodeName"), errors);
  }
  if (nodeSelector) {
    set.push("`nodeSelector`");
    validateNodeSelector(nodeSelector, path.child("nodeSelector"), errors);
  }
  if (allNodes === true) set.push("`allNodes`");
  else if (allNodes === false) {
    errors.push(invalidValue(path.child("allNodes"), false, "must be either unset or set to true"));
  }
  if (set.length === 0) errors.push(required(path, WHERE));
  else if (set.length > 1) errors.push(invalidValue(path, `{${set.join(", ")}}`, WHERE));
}

function validateTaint(
  { key = "", value = "", effect }: DeviceTaint,
  path: FieldPath,
  errors: FieldError[],
): void {
  validateKeyName(key, path.child("key"), errors);
  for (const text of isValidLabelValue(value)) errors.push(invalidValue(path.child("value"), value, text));
  if (!effect) errors.push(required(path.child("effect")));
  else if (!TAINT_EFFECTS.includes(effect)) {
    errors.push(notSupported(path.child("effect"), effect, TAINT_EFFECTS));
  }
}

function validateAttribute(attribute: DeviceAttribute, path: FieldPath, errors: FieldError[]): void {
  const { bool, int, string, version } = attribute;
  if (string !== undefined && byteLength(string) > VALUE_MAX) {
    errors.push(tooLong(path.child("string"), VALUE_MAX));
  }
  if (version !== undefined) {
    if (!isSemanticVersion(version)) {
      const why = "must be a string compatible with semver.org spec 2.0.0";
      errors.push(invalidValue(path.child("version"), version, why));
    }
    if (byteLength(version) > VALUE_MAX) errors.push(tooLong(path.child("version"), VALUE_MAX));
  }
  const set = [bool, int, string, version].filter((value) => value !== undefined).length;
  if (set !== 1)
    errors.push(invalidValue(path, set === 0 ? "" : attribute, "exactly one value must be specified"));
}

/** How much there is of each counter of a set, or how much of it a device takes. */
export function validateCounters(
  counters: Readonly<Record<string, Counter>> | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) errors.push(required(path));
  else if (names.length > COUNTERS_MAX) errors.push(tooMany(path, names.length, COUNTERS_MAX));
  else for (const name of names) validateLabelName(name, path, errors);
}

/** A key that is too long is shown by its ends. */
function shortened(key: string, max: number): string {
  if (key.length <= max) return key;
  const left = max - 3;
  return `${key.slice(0, Math.ceil(left / 2))}...${key.slice(key.length - Math.floor(left / 2))}`;
}

const NUMBER = /^(0|[1-9][0-9]*)$/;
const WORD = /^[0-9A-Za-z-]+$/;
const DIGITS = /^[0-9]+$/;

/** `1.2.3-alpha.1+build.5`. Taken apart by hand, so that no text makes an expression search for long. */
function isSemanticVersion(text: string): boolean {
  const plus = text.indexOf("+");
  const build = plus < 0 ? undefined : text.slice(plus + 1);
  const release = plus < 0 ? text : text.slice(0, plus);
  const dash = release.indexOf("-");
  const preRelease = dash < 0 ? undefined : release.slice(dash + 1);
  const core = (dash < 0 ? release : release.slice(0, dash)).split(".");
  if (core.length !== 3 || !core.every((part) => NUMBER.test(part))) return false;
  if (build !== undefined && !build.split(".").every((part) => WORD.test(part))) return false;
  return (
    preRelease === undefined ||
    preRelease.split(".").every((part) => WORD.test(part) && (!DIGITS.test(part) || NUMBER.test(part)))
  );
}
