/**
 * From a parsed value to a normalized object: unknown fields dropped and told, nulls dropped, leaves in their canonical
 * text, empty optional lists and maps dropped, fields in the order of the schema so that objects of one kind have the
 * same shape for the engine. Every definition is compiled into closures when it is first needed.
 */
import { isObject, type JsonObject, put } from "../json/json-object.ts";
import { countKeys } from "./count-keys.ts";
import { Plan, type Step } from "./decode-plan.ts";
import { fieldOrder } from "./field-order.ts";
import { type Decode, mismatch, type Place, scalarDecoder, zeroOf } from "./scalars.ts";
import type { FieldType, Schemas } from "./schema.ts";
import type { Walk } from "./walk.ts";

const compiled: WeakMap<Schemas, Map<string, Decode>> = new WeakMap();

/**
 * Decodes a value as the definition `id`; null is an empty object. Throws a DecodeError for a value of the wrong type;
 * what is only wrong under strict decoding is in `walk.strictErrors` afterwards.
 */
export function decode(schemas: Schemas, id: string, value: unknown, walk: Walk): JsonObject {
  return structDecoder(schemas, id)(value ?? {}, walk) as JsonObject;
}

function structDecoder(schemas: Schemas, id: string): Decode {
  let known = compiled.get(schemas);
  if (!known) {
    known = new Map();
    compiled.set(schemas, known);
  }
  let decoder = known.get(id);
  if (!decoder) {
    decoder = compileStruct(schemas, id);
    known.set(id, decoder);
  }
  return decoder;
}

function compileStruct(schemas: Schemas, id: string): Decode {
  const owner = id.slice(id.lastIndexOf(".") + 1);
  const place: Place = { owner, name: "", type: { ref: id } };
  let root: Plan | undefined;

  return (value, walk) => {
    if (!isObject(value)) throw mismatch(value, place, walk);
    root ??= new Plan(stepsOf(schemas, id, owner));
    let plan = root;
    for (const key in value) plan = plan.next(key);
    walk.keys += plan.count;
    const steps = plan.steps();
    if (steps.length !== plan.count) dropUnknown(value, plan, walk);
    const object: JsonObject = {};
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at]!;
      const raw = value[step.key];
      if (raw === null || raw === undefined) continue;
      if (step.string && typeof raw === "string") {
        object[step.key] = raw;
      } else if (step.deep) {
        walk.path[walk.depth++] = step.key;
        const decoded = step.decode(raw, walk);
        if (decoded !== undefined) object[step.key] = decoded;
        walk.depth--;
      } else {
        object[step.key] = step.decode(raw, walk);
      }
    }
    return object;
  };
}

function dropUnknown(value: JsonObject, plan: Plan, walk: Walk): void {
  for (const key of plan.unknown()) {
    walk.unknownField(key);
    if (walk.counting) walk.keys += countKeys(value[key]);
  }
}

function stepsOf(schemas: Schemas, id: string, owner: string): Map<string, Step> {
  const steps = new Map<string, Step>();
  for (const { name, type, required, keptEmpty } of fieldOrder(schemas.definition(id))) {
    const deep = typeof type !== "string";
    // The path already has a deep value's own name when its elements are decoded.
    const place: Place = { owner, name: deep ? "" : name, type };
    const decoder = compileType(schemas, type, place, !required && !keptEmpty);
    steps.set(name, { key: name, order: steps.size, decode: decoder, string: type === "string", deep });
  }
  return steps;
}

/** `droppable`: an empty list or map is decoded as undefined. Never for what is an element itself. */
function compileType(schemas: Schemas, type: FieldType, place: Place, droppable = false): Decode {
  if (typeof type === "string") return scalarDecoder(type, place);
  if ("list" in type) return listDecoder(schemas, type.list, place, droppable);
  if ("map" in type) return mapDecoder(schemas, type.map, place, droppable);
  return refDecoder(schemas, type.ref, place);
}

/** Found at first use, because definitions may contain themselves. */
function refDecoder(schemas: Schemas, id: string, place: Place): Decode {
  let decoder: Decode | undefined;
  return (value, walk) => {
    if (!isObject(value)) throw mismatch(value, place, walk);
    decoder ??= structDecoder(schemas, id);
    return decoder(value, walk);
  };
}

function listDecoder(schemas: Schemas, type: FieldType, place: Place, droppable: boolean): Decode {
  const element = compileType(schemas, type, { ...place, type });
  const strings = type === "string";
  return (value, walk) => {
    if (!Array.isArray(value)) throw mismatch(value, place, walk);
    const length = value.length;
    if (length === 0 && droppable) return undefined;
    const list: unknown[] = new Array(length);
    if (strings) {
      for (let at = 0; at < length; at++) {
        const raw: unknown = value[at];
        list[at] = typeof raw === "string" ? raw : raw === null ? "" : element(raw, walk);
      }
      return list;
    }
    const depth = walk.depth++;
    for (let at = 0; at < length; at++) {
      walk.path[depth] = at;
      const raw: unknown = value[at];
      list[at] = raw === null ? zeroOf(type) : element(raw, walk);
    }
    walk.depth = depth;
    return list;
  };
}

function mapDecoder(schemas: Schemas, type: FieldType, place: Place, droppable: boolean): Decode {
  const element = compileType(schemas, type, { ...place, type });
  const strings = type === "string";
  return (value, walk) => {
    if (!isObject(value)) throw mismatch(value, place, walk);
    let count = 0;
    let simple = strings;
    for (const key in value) {
      count++;
      if (typeof value[key] !== "string") simple = false;
    }
    if (count === 0 && droppable) return undefined;
    walk.keys += count;
    // Spread and put keep `__proto__` an ordinary key; assignment would not.
    if (simple) return walk.owned ? value : { ...value };
    const map: JsonObject = {};
    const depth = walk.depth++;
    for (const key in value) {
      walk.path[depth] = { key };
      const raw = value[key];
      put(map, key, raw === null ? zeroOf(type) : element(raw, walk));
    }
    walk.depth = depth;
    return map;
  };
}
