import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import type { Definition, Field, FieldType } from "../../machinery/schema/schema.ts";
import { idOfOpenApiName, leafNames, openApiNameOf, openApiNameOfLeaf } from "./open-api-name.ts";
import { definitionIds, findDefinition, schemas } from "./schemas.ts";

const REFERENCE = new URL("../../../../shared/reference/", import.meta.url);
const skip = existsSync(REFERENCE) ? false : "the reference data is not beside the checkout";

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, REFERENCE), "utf8")) as T;
}

interface OpenApiSchema {
  type?: string;
  format?: string;
  $ref?: string;
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-patch-strategy"?: string;
  "x-kubernetes-patch-merge-key"?: string;
}

const OPEN_API_SCALARS: Readonly<Record<string, OpenApiSchema>> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  float64: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
};

function openApiType(type: FieldType, wire: string | undefined): OpenApiSchema {
  if (typeof type === "string") {
    const leaf = openApiNameOfLeaf(wire ?? type);
    return leaf === undefined ? { ...OPEN_API_SCALARS[type] } : { $ref: `#/definitions/${leaf}` };
  }
  if ("ref" in type) return { $ref: `#/definitions/${openApiNameOf(type.ref)}` };
  if ("list" in type) {
    const unwrapped = type.list === "string" ? undefined : wire;
    return { type: "array", items: openApiType(type.list, unwrapped) };
  }
  return { type: "object", additionalProperties: openApiType(type.map, wire) };
}

function openApiProperty(field: Field): OpenApiSchema {
  const schema = openApiType(field.type, field.wire);
  if (field.listType) schema["x-kubernetes-list-type"] = field.listType;
  if (field.listMapKeys) schema["x-kubernetes-list-map-keys"] = [...field.listMapKeys];
  if (field.mapType) schema["x-kubernetes-map-type"] = field.mapType;
  if (field.patchStrategy) schema["x-kubernetes-patch-strategy"] = field.patchStrategy.join(",");
  if (field.patchMergeKey) schema["x-kubernetes-patch-merge-key"] = field.patchMergeKey;
  return schema;
}

function openApiDefinition(definition: Definition): OpenApiSchema {
  const schema: OpenApiSchema = { type: "object" };
  if (definition.fields.length > 0) {
    schema.properties = Object.fromEntries(
      definition.fields.map((field) => [field.name, openApiProperty(field)]),
    );
  }
  const required = definition.fields.filter((field) => field.required).map((field) => field.name);
  if (required.length > 0) schema.required = required;
  if (definition.kinds)
    schema["x-kubernetes-group-version-kind"] = definition.kinds.map((kind) => ({ ...kind }));
  if (definition.mapType) schema["x-kubernetes-map-type"] = definition.mapType;
  return schema;
}

function withoutProse(schema: OpenApiSchema & Record<string, unknown>): OpenApiSchema {
  const { description: _, "x-kubernetes-unions": __, properties, items, ...rest } = schema;
  const plain: OpenApiSchema = rest;
  if (items) plain.items = withoutProse(items as typeof schema);
  if (properties) {
    plain.properties = Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, withoutProse(each as typeof schema)]),
    );
  }
  if (plain.required) plain.required = [...plain.required].sort();
  return plain;
}

test("schemas have every definition of the upstream OpenAPI document, equal in all but prose", {
  skip,
}, () => {
  const { definitions } = readJson<{ definitions: Record<string, OpenApiSchema & Record<string, unknown>> }>(
    "swagger.json",
  );
  const leaves = new Set([...leafNames()].map(([, name]) => name));
  let compared = 0;
  for (const [name, expected] of Object.entries(definitions)) {
    if (leaves.has(name)) {
      assert.equal(idOfOpenApiName(name), undefined, name);
      continue;
    }
    const id = idOfOpenApiName(name);
    assert.ok(id !== undefined, name);
    assert.equal(openApiNameOf(id), name);
    const ours = openApiDefinition(schemas.definition(id));
    assert.deepEqual(withoutProse(ours as typeof expected), withoutProse(expected), name);
    assert.deepEqual(
      Object.keys(ours.properties ?? {}),
      Object.keys(expected.properties ?? {}),
      `order of ${name}`,
    );
    compared++;
  }
  assert.ok(compared > 750, `only ${compared} compared`);
});

test("schemas keep no empty field but optional lists and maps: required ones stay anyway", () => {
  const kept = definitionIds({ served: true }).flatMap((id) =>
    schemas.definition(id).fields.filter((field) => field.keptEmpty),
  );
  assert.ok(kept.length > 0);
  for (const { name, type, required } of kept) {
    assert.ok(typeof type === "object" && !("ref" in type) && !required, name);
  }
});

type Message = Record<string, [number: number, label: string, type: string]>;

function packageOf(id: string): string {
  return openApiNameOf(id.slice(0, id.lastIndexOf(".")))
    .replace(/^io\.k8s\./, "k8s.io.")
    .replaceAll("-", "_");
}

/** The protobuf type a field should have, as the reference writes it. */
function protobufType({ type, wire }: Field, own: string): [label: string, type: string] {
  const scalars: Record<string, string> = {
    string: "string",
    boolean: "bool",
    int32: "int32",
    int64: "int64",
    float64: "double",
    bytes: "bytes",
  };
  const nameOf = (openApiName: string) => {
    const name = openApiName.replace(/^io\.k8s\./, "k8s.io.").replaceAll("-", "_");
    return name.startsWith(`${own}.`) ? name.slice(own.length + 1) : name;
  };
  const bare = (leaf: FieldType): string => {
    if (wire === "ExtraValue" || wire === "Verbs") return wire;
    if (typeof leaf === "string") {
      const name = openApiNameOfLeaf(wire ?? leaf);
      return name === undefined ? scalars[leaf]! : nameOf(name);
    }
    return nameOf(openApiNameOf("ref" in leaf ? leaf.ref : ""));
  };
  if (typeof type === "object" && "map" in type) return ["", `map<string,${bare(type.map)}>`];
  if (typeof type === "object" && "list" in type && wire !== "ExtraValue" && wire !== "Verbs") {
    return ["repeated", bare(type.list)];
  }
  return ["optional", bare(type)];
}

/** The messages of 1.36's predecessors keep types of their own where ours point at the newer equal ones. */
function sameType(actual: string, expected: string): boolean {
  const last = (name: string) => name.replace(/^(map<string,)?.*?(\w+>?)$/, "$1$2");
  return last(actual) === last(expected);
}

function checkNumbers(id: string, messages: Record<string, Record<string, Message>>): number {
  const definition = schemas.definition(id);
  const own = packageOf(id);
  const message = messages[own]?.[id.slice(id.lastIndexOf(".") + 1)];
  let checked = 0;
  if (message === undefined) {
    assert.ok(
      definition.fields.every((field) => field.number === undefined),
      `${id} has numbers of its own`,
    );
    return 0;
  }
  const reached = new Set<string>();
  for (const field of definition.fields) {
    if (field.number === undefined) {
      assert.ok(["apiVersion", "kind"].includes(field.name), `${id}.${field.name} has no number`);
      continue;
    }
    let current: Message = message;
    let scope = own;
    for (const number of field.embedded ?? []) {
      const [name, [, , type]] = Object.entries(current).find(([, each]) => each[0] === number)!;
      reached.add(current === message ? name : "");
      const dot = type.lastIndexOf(".");
      if (dot >= 0) scope = type.slice(0, dot);
      current = messages[scope]![type.slice(dot + 1)]!;
    }
    const [name, [, label, type]] = Object.entries(current).find(([, each]) => each[0] === field.number)!;
    if (current === message) reached.add(name);
    const plain = (text: string) => text.toLowerCase().replace(/[-$]/g, "");
    assert.equal(plain(name), plain(field.name), `${id} ${field.number}`);
    const [ourLabel, ourType] = protobufType(field, scope);
    assert.equal(ourLabel, label, `${id}.${field.name}`);
    assert.ok(sameType(ourType, type), `${id}.${field.name} is ${type}, not ${ourType}`);
    checked++;
  }
  reached.delete("");
  assert.deepEqual([...reached].sort(), Object.keys(message).sort(), `fields of ${id}`);
  return checked;
}

test("definitions have the field numbers and types of the upstream protobuf messages", { skip }, () => {
  const messages = readJson<Record<string, Record<string, Message>>>("api-field-numbers.json");
  let checked = 0;
  for (const id of definitionIds()) {
    // Upstream serves these beside the API server, which the reference is of.
    if (!id.startsWith("metrics.")) checked += checkNumbers(id, messages);
  }
  assert.ok(checked > 3900, `only ${checked} fields checked`);
});

const GROUP_FOLDERS: Readonly<Record<string, string>> = {
  "rbac.authorization.k8s.io": "rbac",
  "flowcontrol.apiserver.k8s.io": "flowcontrol",
  "internal.apiserver.k8s.io": "apiserverinternal",
};

function walk(value: unknown, type: FieldType, at: string): number {
  if (typeof type === "string") return 1;
  if ("list" in type) {
    assert.ok(Array.isArray(value), at);
    return value.reduce((sum: number, each) => sum + walk(each, type.list, `${at}[]`), 0);
  }
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value), at);
  if ("map" in type) {
    return Object.values(value).reduce((sum: number, each) => sum + walk(each, type.map, `${at}{}`), 0);
  }
  const fields = new Map(schemas.definition(type.ref).fields.map((field) => [field.name, field]));
  let seen = 0;
  for (const [name, each] of Object.entries(value)) {
    const field = fields.get(name);
    assert.ok(field !== undefined, `${at}.${name} is not in ${type.ref}`);
    seen += walk(each, field.type, `${at}.${name}`);
  }
  return seen;
}

test("definitions describe every field of the fully filled objects of all kinds", { skip }, () => {
  const folder = new URL("api-testdata/", REFERENCE);
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  assert.ok(files.length > 150);
  for (const file of files) {
    const object = readJson<unknown>(`api-testdata/${file}`);
    const [, group = "", version = "", kind = ""] = /^(.*)\.(v\w+)\.(\w+)\.json$/.exec(file) ?? [];
    const block = `${GROUP_FOLDERS[group] ?? group.replace(".k8s.io", "")}.${version}`;
    const own = `${block}.${kind}`;
    const id = findDefinition(own) === undefined ? `meta.v1.${kind}` : own;
    assert.ok(walk(object, { ref: id }, file) > 1, file);
    const kinds = schemas.definition(id).kinds ?? [];
    assert.ok(
      kinds.some((each) => each.group === (group === "core" ? "" : group) && each.version === version),
      `${id} is not marked as a kind of ${group}`,
    );
  }
});

function refsOf(type: FieldType): string[] {
  if (typeof type === "string") return [];
  if ("ref" in type) return [type.ref];
  return refsOf("list" in type ? type.list : type.map);
}

test("definitions refer only to definitions", () => {
  let refs = 0;
  for (const id of definitionIds()) {
    for (const field of schemas.definition(id).fields) {
      for (const ref of refsOf(field.type)) {
        assert.ok(findDefinition(ref), `${id}.${field.name} refers to ${ref}`);
        refs++;
      }
    }
  }
  assert.ok(refs > 1000);
});

test("schemas.definition throws for an unknown id", () => {
  for (const id of [
    "core.v1.Nothing",
    "core.v1.",
    "nothing.v1.Pod",
    "Pod",
    "",
    "__proto__.x",
    "constructor.name",
  ]) {
    assert.equal(findDefinition(id), undefined, id);
    assert.throws(() => schemas.definition(id), /no definition/);
  }
});

test("schemas.definition gives the same object each time", () => {
  assert.equal(schemas.definition("core.v1.Pod"), schemas.definition("core.v1.Pod"));
});

test("fields carry the enums, key defaults and pointer marks of the facts", () => {
  const field = (id: string, name: string) =>
    schemas.definition(id).fields.find((each) => each.name === name);
  assert.equal(field("core.v1.ContainerPort", "protocol")?.default, "TCP");
  assert.deepEqual(field("core.v1.PodSpec", "restartPolicy")?.enum, ["Always", "Never", "OnFailure"]);
  assert.equal(field("core.v1.PersistentVolumeClaimSpec", "storageClassName")?.pointer, true);
  assert.equal(field("core.v1.PodSpec", "hostNetwork")?.pointer, undefined);
});

test("pointer marks are only on optional scalars", () => {
  for (const id of definitionIds()) {
    for (const field of schemas.definition(id).fields) {
      if (!field.pointer) continue;
      assert.ok(typeof field.type === "string" && field.type !== "any", `${id}.${field.name}`);
    }
  }
});
