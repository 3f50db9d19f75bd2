/**
 * Definitions as server-side apply looks at them: where fields are tracked one by one, and where a value is one field
 * whatever is in it. Compiled at first use and kept; the root of a kind is compiled without the fields that are never
 * tracked.
 */
import type { Definition, Field, FieldType, Schemas } from "../schema/schema.ts";

export type Shape = Leaf | Struct | MapOf | SetOf | ListMap | Deduced;

/** A scalar, or an atomic list, map or struct. */
export interface Leaf {
  readonly kind: "leaf";
  readonly container?: "list" | "map";
}

export interface MapOf {
  readonly kind: "map";
  readonly value: Shape;
}

/** A list of scalars that are told apart by their value. */
export interface SetOf {
  readonly kind: "set";
}

/** A list of structs that are told apart by keys. */
export interface ListMap {
  readonly kind: "listMap";
  /** Sorted. */
  readonly keys: readonly string[];
  /** What an absent key counts as. */
  readonly defaults: readonly unknown[];
  readonly item: Shape;
}

/** Nothing is known of it: objects are maps of the same, all else is a leaf. */
export interface Deduced {
  readonly kind: "deduced";
}

export interface StructField {
  /** `f:<name>` */
  readonly element: string;
  readonly shape: Shape;
  /**
   * A struct that Go holds by value, so that an object has it, empty, before anything is set; likewise a list that is
   * `null`. Nobody becomes the owner of such a field by setting something in it.
   */
  readonly always: boolean;
  /** The value that a scalar has in Go before it is set, where that is written out; setting it to this sets nothing. */
  readonly zero: unknown;
}

export class Struct {
  readonly kind = "struct";
  readonly id: string;
  private readonly compile: () => ReadonlyMap<string, StructField | null>;
  private compiled: ReadonlyMap<string, StructField | null> | undefined;

  constructor(id: string, compile: () => ReadonlyMap<string, StructField | null>) {
    this.id = id;
    this.compile = compile;
  }

  /** By name; null for a field that is not tracked. */
  get fields(): ReadonlyMap<string, StructField | null> {
    this.compiled ??= this.compile();
    return this.compiled;
  }
}

const LEAF_SHAPE: Leaf = { kind: "leaf" };
const ATOMIC_LIST: Leaf = { kind: "leaf", container: "list" };
const ATOMIC_MAP: Leaf = { kind: "leaf", container: "map" };
const SET: SetOf = { kind: "set" };
export const DEDUCED: Deduced = { kind: "deduced" };
const DEDUCED_FIELD: StructField = { element: "", shape: DEDUCED, always: false, zero: undefined };

/** How a struct's unknown key is tracked. */
export function unknownField(name: string): StructField {
  return { ...DEDUCED_FIELD, element: `f:${name}` };
}

/** Fields of every object that no manager ever owns. */
const NEVER_TRACKED = [
  "apiVersion",
  "kind",
  "metadata.name",
  "metadata.namespace",
  "metadata.creationTimestamp",
  "metadata.selfLink",
  "metadata.uid",
  "metadata.clusterName",
  "metadata.generation",
  "metadata.managedFields",
  "metadata.resourceVersion",
];

const compilers = new WeakMap<Schemas, Compiler>();

/** The shape of kind `id` without the fields that are never tracked and without those at and below `resets`. */
export function rootShape(schemas: Schemas, id: string, resets: readonly string[]): Struct {
  let compiler = compilers.get(schemas);
  if (!compiler) {
    compiler = new Compiler(schemas);
    compilers.set(schemas, compiler);
  }
  return compiler.root(id, resets);
}

class Compiler {
  private readonly schemas: Schemas;
  private readonly structs = new WeakMap<Definition, Struct>();
  private readonly roots = new WeakMap<Definition, Map<string, Struct>>();

  constructor(schemas: Schemas) {
    this.schemas = schemas;
  }

  root(id: string, resets: readonly string[]): Struct {
    const definition = this.schemas.definition(id);
    let variants = this.roots.get(definition);
    if (!variants) {
      variants = new Map();
      this.roots.set(definition, variants);
    }
    const key = resets.length === 0 ? "" : resets.length === 1 ? resets[0]! : resets.join("\n");
    let root = variants.get(key);
    if (!root) {
      root = this.without(this.struct(id), [...NEVER_TRACKED, ...resets]);
      variants.set(key, root);
    }
    return root;
  }

  /** The same struct, where the fields at `paths` are not tracked. */
  private without(struct: Struct, paths: readonly string[]): Struct {
    return new Struct(struct.id, () => {
      const fields = new Map(struct.fields);
      const below = new Map<string, string[]>();
      for (const path of paths) {
        const dot = path.indexOf(".");
        if (dot < 0) fields.set(path, null);
        else below.set(path.slice(0, dot), [...(below.get(path.slice(0, dot)) ?? []), path.slice(dot + 1)]);
      }
      for (const [name, inner] of below) {
        const field = fields.get(name);
        if (field?.shape.kind === "struct") {
          fields.set(name, { ...field, shape: this.without(field.shape, inner), always: true });
        }
      }
      return fields;
    });
  }

  private struct(id: string): Struct {
    const definition = this.schemas.definition(id);
    let struct = this.structs.get(definition);
    if (!struct) {
      struct = new Struct(
        id,
        () => new Map(definition.fields.map((f) => [f.name, this.field(definition, f)])),
      );
      this.structs.set(definition, struct);
    }
    return struct;
  }

  private field(definition: Definition, field: Field): StructField {
    const shape = this.shape(field.type, field);
    return {
      element: `f:${field.name}`,
      shape,
      always: isHeldByValue(definition, field),
      zero: field.required && field.number !== undefined ? ZERO[field.type as string] : undefined,
    };
  }

  private shape(type: FieldType, field: Field): Shape {
    // What custom resources leave open is looked into; RawExtension and its like are one field.
    if (type === "any") return field.number === undefined ? DEDUCED : LEAF_SHAPE;
    if (typeof type === "string") return LEAF_SHAPE;
    if ("ref" in type) {
      if (field.mapType === "atomic" || this.schemas.definition(type.ref).mapType === "atomic")
        return ATOMIC_MAP;
      return this.struct(type.ref);
    }
    if ("map" in type) {
      return field.mapType === "atomic"
        ? ATOMIC_MAP
        : { kind: "map", value: this.shape(type.map, plain(field)) };
    }
    if (field.listType === "set") return SET;
    if (field.listType !== "map" || !field.listMapKeys) return ATOMIC_LIST;
    return this.listMap(type.list, field);
  }

  private listMap(element: FieldType, field: Field): Shape {
    if (typeof element !== "object" || !("ref" in element)) return ATOMIC_LIST;
    const keys = [...field.listMapKeys!].sort();
    const { fields } = this.schemas.definition(element.ref);
    const defaults = keys.map((key) => fields.find((f) => f.name === key)?.default);
    return { kind: "listMap", keys, defaults, item: this.shape(element, plain(field)) };
  }
}

/** What of a list's or map's field holds for its elements too. */
function plain(field: Field): Field {
  return { name: field.name, type: field.type, number: field.number };
}

const ZERO: Readonly<Record<string, unknown>> = {
  string: "",
  boolean: false,
  int32: 0,
  int64: 0,
  float64: 0,
};

/** Names under which the built-in types hold a struct by value rather than by pointer. */
const BY_VALUE = new Set([
  "acceptedNames",
  "clientConfig",
  "daemonEndpoints",
  "devices",
  "jobTemplate",
  "kubeletEndpoint",
  "loadBalancer",
  "metadata",
  "names",
  "nodeInfo",
  "podSelector",
  "pool",
  "priorityLevelConfiguration",
  "resources",
  "roleRef",
  "scaleTargetRef",
  "source",
  "spec",
  "status",
  "strategy",
  "template",
  "updateStrategy",
]);
const BY_POINTER = new Set(["core.v1.ReplicationControllerSpec.template", "core.v1.PodSpec.resources"]);

function isHeldByValue(definition: Definition, field: Field): boolean {
  if (field.number === undefined || typeof field.type !== "object") return false;
  if (!("ref" in field.type)) return field.required === true;
  return BY_VALUE.has(field.name) && !BY_POINTER.has(`${definition.id}.${field.name}`);
}
