/**
 * The shape of every API type as data. One description drives decoding, strictness, protobuf, patches, server-side
 * apply and OpenAPI; each of them compiles it into closures at first use. The built-in definitions are generated into
 * api/schema; custom resources make theirs at run time.
 */

/**
 * A leaf's type:
 * - `string` `boolean` `int32` `int64` `float64` `bytes` (base64 text) are JSON's;
 * - `Time` (RFC 3339, seconds), `MicroTime` (microseconds) and `Duration` are text;
 * - `Quantity` and `IntOrString` take text or a number;
 * - `any` is a value of any shape that is kept as it is (RawExtension, JSON, FieldsV1).
 */
export type Scalar =
  | "string"
  | "boolean"
  | "int32"
  | "int64"
  | "float64"
  | "bytes"
  | "Time"
  | "MicroTime"
  | "Duration"
  | "Quantity"
  | "IntOrString"
  | "any";

export type FieldType = Scalar | { ref: string } | { list: FieldType } | { map: FieldType };

export interface Field {
  name: string;
  type: FieldType;
  required?: true;
  /** How server-side apply merges a list; absent means atomic. */
  listType?: "atomic" | "set" | "map";
  listMapKeys?: readonly string[];
  /** `atomic`: server-side apply replaces the map or struct whole. */
  mapType?: "atomic" | "granular";
  /** How a strategic merge patch treats the field. */
  patchStrategy?: readonly ("merge" | "replace" | "retainKeys")[];
  patchMergeKey?: string;
  /** The only values the field may take, where the type is an enumeration. */
  enum?: readonly string[];
  /** What an absent key of a list map counts as when two elements are matched (e.g. `protocol: TCP`). */
  default?: unknown;
  /** The protobuf field number; absent where the type has no protobuf form. */
  number?: number;
  /**
   * The protobuf message that carries a leaf where the JSON type does not tell: `RawExtension`, `FieldsV1`, `JSON` or
   * one of `JSONSchemaPropsOr{Array,Bool,StringArray}` for `any`; `ExtraValue` or `Verbs` for a list of strings.
   * Within a list or map it is the element's, except that the innermost list of strings is the message itself.
   */
  wire?: string;
  /**
   * The numbers of the messages around the field in protobuf, outermost first, where JSON has it inlined: Go embeds a
   * struct, whose fields protobuf nests. `number` is the one within the innermost (Volume.hostPath: [2], number 1).
   */
  embedded?: readonly number[];
  /**
   * A scalar whose zero value says something else than its absence (a pointer in Go), so that a decoder of protobuf
   * must keep `0`, `""` and `false`; of other optional scalars the zero value is absence.
   */
  pointer?: true;
  /**
   * An optional list or map that may be there and empty. Others are absent where they are empty, as Go's `omitempty`
   * has it; required ones are never left out.
   */
  keptEmpty?: true;
}

/** One API type, e.g. `core.v1.PodSpec`. Fields are in the order of OpenAPI (by name). */
export interface Definition {
  /** `<group folder>.<version>.<Kind>`: `core.v1.Pod`, `apps.v1.Deployment`, `meta.v1.ObjectMeta`. */
  id: string;
  fields: readonly Field[];
  mapType?: "atomic";
  /** The kinds that have this shape, where it is one. */
  kinds?: readonly { group: string; version: string; kind: string }[];
}

/** Finds a definition by id; an unknown id is a bug and throws. */
export interface Schemas {
  definition(id: string): Definition;
}
