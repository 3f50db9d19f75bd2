/** The leaf types: what each takes, and how it is written once decoded. */
import { isDeeper } from "../json/depth.ts";
import { bigintOf, fitsInt64, isExactInteger } from "../json/exact-integer.ts";
import { jsonTypeOf } from "../json/json-type.ts";
import { canonicalQuantity } from "../quantity/quantity.ts";
import { canonicalDuration } from "../time/duration.ts";
import { canonicalMicroTime, canonicalTime } from "../time/time.ts";
import { normalBase64 } from "./base64.ts";
import { countKeys } from "./count-keys.ts";
import type { FieldType, Scalar } from "./schema.ts";
import { DecodeError, decodeText, type Walk } from "./walk.ts";

/** Where a value is, for the message of an error: `name` is a field of the struct `owner`, or "" for its elements. */
export interface Place {
  owner: string;
  name: string;
  type: FieldType;
}

/** A value that is not null to its normal form. */
export type Decode = (value: unknown, walk: Walk) => unknown;

/** The error for a value of another JSON type, as Go words it. */
export function mismatch(value: unknown, place: Place, walk: Walk, said = jsonTypeOf(value)): DecodeError {
  const path = walk.fieldPath(place.name);
  const where = path === "" ? "Go value" : `Go struct field ${place.owner}.${path}`;
  return new DecodeError(`json: cannot unmarshal ${said} into ${where} of type ${goType(place.type)}`);
}

const GO_SCALARS: Record<Scalar, string> = {
  string: "string",
  boolean: "bool",
  int32: "int32",
  int64: "int64",
  float64: "float64",
  bytes: "[]uint8",
  Time: "v1.Time",
  MicroTime: "v1.MicroTime",
  Duration: "v1.Duration",
  Quantity: "resource.Quantity",
  IntOrString: "intstr.IntOrString",
  any: "interface {}",
};

export function goType(type: FieldType): string {
  if (typeof type === "string") return GO_SCALARS[type];
  if ("list" in type) return `[]${goType(type.list)}`;
  if ("map" in type) return `map[string]${goType(type.map)}`;
  return type.ref.split(".").slice(-2).join(".");
}

/** What Go has where a list's element or a map's value is null. */
export function zeroOf(type: FieldType): unknown {
  if (typeof type !== "string") return "ref" in type ? {} : null;
  if (type === "string" || type === "bytes") return "";
  if (type === "boolean") return false;
  if (type === "Duration") return "0s";
  if (type === "Quantity") return "0";
  return type === "any" || type === "Time" || type === "MicroTime" ? null : 0;
}

export function scalarDecoder(type: Scalar, place: Place): Decode {
  switch (type) {
    case "string":
      return (value, walk) => {
        if (typeof value !== "string") throw mismatch(value, place, walk);
        return value;
      };
    case "boolean":
      return (value, walk) => {
        if (typeof value !== "boolean") throw mismatch(value, place, walk);
        return value;
      };
    case "int32":
      return (value, walk) => {
        if (typeof value === "number" && (value | 0) === value) return value;
        throw numberMismatch(value, place, walk);
      };
    case "int64":
      return (value, walk) => {
        if (Number.isSafeInteger(value)) return value;
        // A larger integer that fits is exact; a plain number was rounded from one that does not, or is a fraction.
        const exact = isExactInteger(value) ? bigintOf(value) : undefined;
        if (exact === undefined || !fitsInt64(exact)) throw numberMismatch(value, place, walk);
        return value;
      };
    case "float64":
      return (value, walk) => {
        if (typeof value === "number") return value;
        if (isExactInteger(value)) return Number(value.rawJSON);
        throw mismatch(value, place, walk);
      };
    case "bytes":
      return (value, walk) => {
        if (typeof value !== "string") throw mismatch(value, place, walk);
        return normalBase64(value);
      };
    case "any":
      return (value, walk) => {
        if (typeof value !== "object" || value === null) return value;
        if (walk.counting) walk.keys += countKeys(value);
        // What is frozen came from the store, and so through here.
        if (!Object.isFrozen(value) && isDeeper(value)) throw new DecodeError("exceeded max depth");
        return value;
      };
    default:
      return textDecoder(type);
  }
}

/** The types that read themselves in Go: their errors do not say where. */
function textDecoder(type: "Time" | "MicroTime" | "Duration" | "Quantity" | "IntOrString"): Decode {
  if (type === "Quantity") {
    return (value) => {
      if (typeof value === "string" || typeof value === "number") return decodeText(canonicalQuantity, value);
      const text = isExactInteger(value) ? value.rawJSON : (JSON.stringify(value) ?? "");
      return decodeText(canonicalQuantity, text);
    };
  }
  if (type === "IntOrString") {
    return (value) => {
      if (typeof value === "string") return value;
      if (typeof value === "number" && (value | 0) === value) return value;
      const said = typeof value === "number" ? `number ${value}` : jsonTypeOf(value);
      throw new DecodeError(`json: cannot unmarshal ${said} into Go value of type int32`);
    };
  }
  const canonical =
    type === "Time" ? canonicalTime : type === "MicroTime" ? canonicalMicroTime : canonicalDuration;
  return (value) => {
    if (typeof value === "string") return decodeText(canonical, value);
    throw new DecodeError(`json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type string`);
  };
}

function numberMismatch(value: unknown, place: Place, walk: Walk): DecodeError {
  if (typeof value === "number") return mismatch(value, place, walk, `number ${value}`);
  return mismatch(value, place, walk, isExactInteger(value) ? `number ${value.rawJSON}` : undefined);
}
