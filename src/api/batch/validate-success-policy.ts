/** When an indexed Job has succeeded before all its indexes have. */
import {
  type FieldError,
  invalidValue,
  required,
  tooLong,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { nonNegative } from "../core/pod/checks.ts";
import type { JobSpec, SuccessPolicy, SuccessPolicyRule } from "../schema/batch.v1.generated.ts";

const MAX_RULES = 20;
const MAX_INDEXES_LENGTH = 64 * 1024;

export function validateSuccessPolicy(
  { rules = [] }: SuccessPolicy,
  spec: JobSpec,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (spec.completionMode !== "Indexed") {
    const why = "requires indexed completion mode";
    errors.push(invalidValue(at, { rules }, why));
    return;
  }
  const path = at.child("rules");
  if (rules.length === 0)
    errors.push(required(path, "at least one rules must be specified when the successPolicy is specified"));
  if (rules.length > MAX_RULES) errors.push(tooMany(path, rules.length, MAX_RULES));
  rules.forEach((rule, i) => {
    validateRule(rule, spec.completions ?? 0, path.index(i), errors);
  });
}

function validateRule(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  completions: number,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(required(at, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  let indexes: number | undefined;
  if (succeededIndexes !== undefined) {
    const path = at.child("succeededIndexes");
    if (succeededIndexes.length > MAX_INDEXES_LENGTH) errors.push(tooLong(path, MAX_INDEXES_LENGTH));
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === "string") {
      errors.push(invalidValue(path, succeededIndexes, `error parsing succeededIndexes: ${counted}`));
    } else indexes = counted;
  }
  if (succeededCount === undefined) return;
  nonNegative(errors, succeededCount, at, "succeededCount");
  const path = at.child("succeededCount");
  if (succeededCount > completions) {
    const why = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(invalidValue(path, succeededCount, why));
  }
  if (indexes !== undefined && succeededCount > indexes) {
    const why = `must be less than or equal to ${indexes} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(invalidValue(path, succeededCount, why));
  }
}

/** How many indexes `1,3-5,7` names; a text says what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === "") return 0;
  let total = 0;
  let last = -1;
  for (const interval of text.split(",")) {
    const parts = interval.split("-");
    if (parts.length > 2)
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const [from, to] = [parts[0] ?? "", parts[1] ?? parts[0] ?? ""].map((part) =>
      /^[0-9]+$/.test(part) ? Number(part) : undefined,
    );
    if (from === undefined || to === undefined)
      return `cannot convert string to integer for index: ${JSON.stringify(interval)}`;
    if (from >= completions || to >= completions)
      return `too large index: ${JSON.stringify(String(Math.max(from, to)))}`;
    if (from <= last) return `non-increasing order, previous: ${last}, current: ${from}`;
    if (parts.length === 2 && to <= from) return `non-increasing order, previous: ${from}, current: ${to}`;
    total += to - from + 1;
    last = to;
  }
  return total;
}
