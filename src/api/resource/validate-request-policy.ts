/** How much of a shared device's capacity one request may take. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import type { CapacityRequestPolicy, CapacityRequestPolicyRange } from "../schema/resource.v1.generated.ts";

const VALUES_MAX = 10;

export function validateRequestPolicy(
  policy: CapacityRequestPolicy,
  capacity: string,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange) {
    const why =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    errors.push(forbiddenField(path, why));
    return;
  }
  const way = validValues.length > 0 ? "validValues" : validRange ? "validRange" : undefined;
  if (!way) return;
  if (policy.default === undefined) {
    errors.push(required(path.child("default"), `required when ${way} is defined`));
    return;
  }
  const whole = Quantity.parse(capacity);
  const usual = Quantity.parse(policy.default);
  if (validRange) validateRange(validRange, usual, whole, path.child("validRange"), errors);
  else validateValues(validValues, usual, whole, path.child("validValues"), errors);
}

function validateValues(
  texts: readonly string[],
  usual: Quantity,
  whole: Quantity,
  path: FieldPath,
  errors: FieldError[],
): void {
  const values = texts.map((text) => Quantity.parse(text));
  for (const [i, value] of values.entries()) {
    const before = values[i - 1];
    if (!before || before.compare(value) <= 0) continue;
    const why = "values must be sorted in ascending order";
    errors.push(invalidValue(path.index(i), value.toString(), why));
  }
  if (values.length > VALUES_MAX) errors.push(tooMany(path, values.length, VALUES_MAX));
  else {
    for (const [i, value] of values.entries()) {
      if (value.compare(whole) <= 0) continue;
      const why = `option is larger than capacity value: ${whole}`;
      errors.push(invalidValue(path.index(i), value.toString(), why));
    }
    const seen = new Set<number>();
    for (const [i, value] of values.entries()) {
      const units = value.value();
      if (seen.has(units)) errors.push(duplicate(path.index(i), String(units)));
      seen.add(units);
    }
    if (values.some((value) => value.compare(usual) === 0)) return;
  }
  const why = "default value is not valid according to the requestPolicy";
  errors.push(invalidValue(path, usual.toString(), why));
}

function validateRange(
  range: CapacityRequestPolicyRange,
  usual: Quantity,
  whole: Quantity,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (range.min === undefined) {
    errors.push(required(path.child("min"), "required when validRange is defined"));
    return;
  }
  const min = Quantity.parse(range.min);
  const wrong = (field: string, value: Quantity, why: string) => {
    errors.push(invalidValue(path.child(field), value.toString(), why));
  };
  if (min.compare(whole) > 0) wrong("min", min, `min is larger than capacity value: ${whole}`);
  if (usual.compare(min) < 0) wrong("default", usual, `default is less than min: ${min}`);
  const max = range.max === undefined ? undefined : Quantity.parse(range.max);
  if (max) {
    if (min.compare(max) > 0) wrong("max", min, `min is larger than max: ${max}`);
    if (max.compare(whole) > 0) wrong("max", max, `max is larger than capacity value: ${whole}`);
    if (usual.compare(max) > 0) wrong("default", usual, `default is more than max: ${max}`);
  }
  if (range.step === undefined) return;
  const step = Quantity.parse(range.step);
  if (step.sign() <= 0) {
    wrong("step", step, "must be greater than zero");
    return;
  }
  const one = min.add(step);
  if (one.compare(whole) > 0) {
    wrong("step", step, `one step ${one} is larger than capacity value: ${whole}`);
  }
  for (const value of max ? [usual, max] : [usual]) {
    if ((value.value() - min.value()) % step.value() === 0) continue;
    wrong("step", value, `value is not a multiple of a given step (${step}) from (${min})`);
  }
}
