import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { nameColumn } from "./columns.ts";

type ResourceList = Record<string, string>;

export interface LimitRangeItem {
  type: string;
  max?: ResourceList;
  min?: ResourceList;
  default?: ResourceList;
  defaultRequest?: ResourceList;
  maxLimitRequestRatio?: ResourceList;
}

export interface LimitRange extends KubeObject {
  spec?: { limits?: LimitRangeItem[] };
}

export const LimitRange = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  scope: "Namespaced",
  shortNames: ["limits"],
  definition: "core.v1.LimitRange",
  allowCreateOnUpdate: true,
  validateName: nameIsDNSSubdomain,
  defaults: ({ spec }) => spec?.limits?.forEach(completeItem),
  validate: ({ spec }) => validateItems(spec?.limits ?? []),
  columns: [
    nameColumn,
    { name: "Created At", type: "date", cell: ({ metadata }) => metadata.creationTimestamp },
  ],
});

/** A container's defaults follow from its bounds: the limit from max, the request from the limit, else from min. */
function completeItem(item: LimitRangeItem): void {
  if (item.type !== "Container") return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

const TYPES = ["Container", "Pod", "PersistentVolumeClaim"];

function validateItems(items: LimitRangeItem[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const path = FieldPath.root("spec", "limits").index(i);
    const { type = "" } = item;
    errors.push(...isQualifiedName(type).map((text) => invalidValue(path.child("type"), type, text)));
    if (!type.includes("/") && !TYPES.includes(type)) {
      const why = "must be a standard limit type or fully qualified";
      errors.push(invalidValue(path.child("type"), type, why));
    }
    if (seen.has(type)) errors.push(duplicate(path.child("type"), type));
    seen.add(type);
    if (type === "Pod") {
      for (const field of ["default", "defaultRequest"] as const) {
        if (Object.keys(item[field] ?? {}).length > 0) {
          errors.push(forbiddenField(path.child(field), "may not be specified when `type` is 'Pod'"));
        }
      }
    }
    if (
      type === "PersistentVolumeClaim" &&
      item.min?.storage === undefined &&
      item.max?.storage === undefined
    ) {
      const why = "either minimum or maximum storage value is required, but neither was provided";
      errors.push(required(FieldPath.root("spec", "limits").index(i).child("limits"), why));
    }
    validateBounds(item, path, errors);
  }
  return errors;
}

/** Each pair in the order it must hold, and the words for both. */
const ORDER = [
  ["min", "max", "min", "min value", "max value"],
  ["min", "defaultRequest", "defaultRequest", "min value", "default request value"],
  ["defaultRequest", "max", "defaultRequest", "default request value", "max value"],
  ["defaultRequest", "default", "defaultRequest", "default request value", "default limit value"],
  ["min", "default", "default", "min value", "default value"],
  ["default", "max", "default", "default value", "max value"],
] as const;

function validateBounds(item: LimitRangeItem, path: FieldPath, errors: FieldError[]): void {
  for (const [low, high, field, lowWord, highWord] of ORDER) {
    for (const [name, value] of Object.entries(item[low] ?? {})) {
      const limits = item[high] ?? {};
      const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
      if (limit === undefined || Quantity.parse(value).compare(Quantity.parse(limit)) <= 0) continue;
      const why = `${lowWord} ${value} is greater than ${highWord} ${limit}`;
      errors.push(invalidValue(path.child(field).key(name), item[field]?.[name], why));
    }
  }
  for (const [name, ratio] of Object.entries(item.maxLimitRequestRatio ?? {})) {
    if (Quantity.parse(ratio).compare(Quantity.ofValue(1)) >= 0) continue;
    errors.push(
      invalidValue(path.child("maxLimitRequestRatio").key(name), ratio, `ratio ${ratio} is less than 1`),
    );
  }
}
