/**
 * The documents, written piece by piece: a generator gives the text in parts of one path or one definition, so that
 * whoever writes it can let other work in between. What is said in OpenAPI 2 and 3 comes from the same operations.
 */

import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { openApiNameOf, openApiNameOfLeaf } from "../../api/schema/open-api-name.ts";
import { PROTOBUF_TYPE, PROTOBUF_WATCH_TYPE } from "../../machinery/protobuf/envelope.ts";
import type { Schemas } from "../../machinery/schema/schema.ts";
import {
  type Descriptions,
  definitionSchema,
  type Form,
  type JSONObject,
  leafSchema,
  refTo,
} from "./definitions.ts";
import {
  discoveryOperations,
  type Operation,
  operationsOf,
  type Shape,
  serverOperations,
} from "./operations.ts";
import { documentPart } from "./protobuf-document.ts";

export interface Source {
  resources: readonly Resource<KubeObject>[];
  schemas: Schemas;
  descriptions?: Descriptions;
  version: string;
}

export interface GroupVersion {
  group: string;
  version: string;
}

const MEDIA = ["application/json", "application/yaml", PROTOBUF_TYPE];
const STREAM_MEDIA = ["application/json;stream=watch", PROTOBUF_WATCH_TYPE];
const PATCH_MEDIA = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

/** The operations of a group version, or of all; `/apis/<group>/` belongs to the group's versions alike. */
export function operationsIn({ resources }: Source, only?: GroupVersion): Operation[] {
  const operations: Operation[] = only ? [] : serverOperations();
  const groups = new Map<string, Set<string>>();
  for (const resource of resources) {
    for (const served of [resource, ...resource.alternates]) {
      if (only && (served.group !== only.group || served.version !== only.version)) continue;
      operations.push(...operationsOf(resource, served));
      groups.set(served.group, (groups.get(served.group) ?? new Set()).add(served.version));
    }
  }
  for (const [group, versions] of groups) {
    const [own, ...lists] = discoveryOperations(group, [...versions]);
    // In version 3 the group's document is apart.
    operations.push(...(only || !own ? lists : [own, ...lists]));
  }
  return operations;
}

/** One path, one definition, or the document's own members before and after them. */
type Part = { head: JSONObject } | { path: string; item: JSONObject } | { name: string; schema: JSONObject };

const SECURITY_SCHEMES: JSONObject = {
  BearerToken: {
    description: "Bearer Token authentication",
    in: "header",
    name: "authorization",
    type: "apiKey",
  },
};
const SECURITY = [{ BearerToken: [] }];

/** Undefined where there is nothing to say yet. */
function* documentParts(
  source: Source,
  form: Form,
  only: GroupVersion | undefined,
): Generator<Part | undefined> {
  const byPath = new Map<string, Operation[]>();
  for (const operation of operationsIn(source, only)) {
    const list = byPath.get(operation.path);
    if (list) list.push(operation);
    else byPath.set(operation.path, [operation]);
    yield undefined;
  }
  const info = { title: "Kubernetes", version: source.version };
  yield { head: form === 2 ? { swagger: "2.0", info } : { openapi: "3.0.0", info } };
  const wanted = new Wanted();
  for (const path of [...byPath.keys()].sort()) {
    const operations = byPath.get(path)!;
    yield { path, item: form === 2 ? pathItem2(operations, wanted) : pathItem3(operations, wanted) };
  }
  for (const [name, schema] of wanted.schemas(source, form)) yield { name, schema };
}

/** A JSON text in parts; together they are the document. */
export function* documentText(source: Source, form: Form, only?: GroupVersion): Generator<string> {
  let before = "";
  let inPaths = true;
  for (const part of documentParts(source, form, only)) {
    if (part === undefined) yield "";
    else if ("head" in part) {
      yield `${JSON.stringify(part.head).slice(0, -1)},"paths":{`;
    } else if ("path" in part) {
      yield `${before}${JSON.stringify(part.path)}:${JSON.stringify(part.item)}`;
      before = ",";
    } else {
      if (inPaths) before = form === 2 ? `},"definitions":{` : `},"components":{"schemas":{`;
      inPaths = false;
      yield `${before}${JSON.stringify(part.name)}:${JSON.stringify(part.schema)}`;
      before = ",";
    }
  }
  const schemes = JSON.stringify(SECURITY_SCHEMES);
  const security = `"security":${JSON.stringify(SECURITY)}`;
  yield form === 2
    ? `},"securityDefinitions":${schemes},${security}}`
    : `},"securitySchemes":${schemes}},${security}}`;
}

/** OpenAPI 2 as protobuf in parts; together they are the document. */
export function* documentMessage(source: Source): Generator<Uint8Array> {
  for (const part of documentParts(source, 2, undefined)) {
    if (part === undefined) yield new Uint8Array();
    else if ("head" in part) yield documentPart(part.head);
    else if ("path" in part) yield documentPart({ paths: { [part.path]: part.item } });
    else yield documentPart({ definitions: { [part.name]: part.schema } });
  }
  yield documentPart({ securityDefinitions: SECURITY_SCHEMES, security: SECURITY });
}

/** Collects what is referred to, and gives each definition once. */
class Wanted {
  readonly #ids: string[] = [];
  readonly #known = new Set<string>();
  readonly #leaves = new Set<string>();

  readonly seen = (id: string | undefined, leaf: string | undefined): void => {
    if (leaf !== undefined) this.#leaves.add(leaf);
    if (id === undefined || this.#known.has(id)) return;
    this.#known.add(id);
    this.#ids.push(id);
  };

  ref(id: string, form: Form): JSONObject {
    this.seen(id, undefined);
    return refTo(openApiNameOf(id), form);
  }

  *schemas({ schemas, descriptions }: Source, form: Form): Generator<[string, JSONObject]> {
    for (let i = 0; i < this.#ids.length; i++) {
      const id = this.#ids[i] as string;
      // A patch is of any shape: it is no type of its own.
      const schema =
        id === "meta.v1.Patch"
          ? { type: "object" }
          : definitionSchema(schemas.definition(id), form, descriptions, this.seen);
      yield [openApiNameOf(id), schema];
    }
    for (const leaf of this.#leaves) yield [openApiNameOfLeaf(leaf) as string, leafSchema(leaf, form)];
  }
}

function common(operation: Operation): JSONObject {
  const { operationId, tag, description, action, kind } = operation;
  return {
    description,
    operationId,
    tags: [tag],
    ...(action ? { "x-kubernetes-action": action } : {}),
    ...(kind
      ? { "x-kubernetes-group-version-kind": { group: kind.group, kind: kind.kind, version: kind.version } }
      : {}),
  };
}

function pathParameters(path: string): JSONObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ in: "path", name, required: true }));
}

function produces({ answers, streams }: Operation): string[] {
  if (Object.values(answers).includes("text")) return ["*/*"];
  return streams ? [...MEDIA, ...STREAM_MEDIA] : MEDIA;
}

function said(code: string): string {
  return code === "201" ? "Created" : code === "202" ? "Accepted" : "OK";
}

function pathItem2(operations: Operation[], wanted: Wanted): JSONObject {
  const item: JSONObject = {};
  const shapeOf = (shape: Shape) => (shape === "text" ? { type: "string" } : wanted.ref(shape.definition, 2));
  for (const operation of operations) {
    const { method, body, answers, query } = operation;
    const parameters: JSONObject[] = query.map(({ name, type }) => ({
      in: "query",
      name,
      type,
      uniqueItems: true,
    }));
    if (body) {
      const schema = wanted.ref(body.definition, 2);
      parameters.unshift({ in: "body", name: "body", ...(body.required ? { required: true } : {}), schema });
    }
    const responses: JSONObject = {};
    for (const [code, shape] of Object.entries(answers)) {
      responses[code] = { description: said(code), schema: shapeOf(shape) };
    }
    responses["401"] = { description: "Unauthorized" };
    item[method] = {
      ...common(operation),
      consumes: method === "patch" && operation.action === "patch" ? PATCH_MEDIA : ["*/*"],
      produces: produces(operation),
      schemes: ["https"],
      parameters,
      responses,
    };
  }
  const shared = pathParameters(operations[0]!.path).map((p) => ({
    ...p,
    type: "string",
    uniqueItems: true,
  }));
  if (operations.some(({ action }) => action && action !== "connect")) {
    shared.push({ in: "query", name: "pretty", type: "string", uniqueItems: true } as never);
  }
  if (shared.length > 0) item.parameters = shared;
  return item;
}

function pathItem3(operations: Operation[], wanted: Wanted): JSONObject {
  const item: JSONObject = {};
  const content = (media: string[], shape: Shape) => {
    const schema = shape === "text" ? { type: "string" } : wanted.ref(shape.definition, 3);
    return Object.fromEntries(media.map((type) => [type, { schema }]));
  };
  for (const operation of operations) {
    const { method, body, answers, query } = operation;
    const responses: JSONObject = {};
    for (const [code, shape] of Object.entries(answers)) {
      responses[code] = { description: said(code), content: content(produces(operation), shape) };
    }
    responses["401"] = { description: "Unauthorized" };
    const media = method === "patch" && operation.action === "patch" ? PATCH_MEDIA : ["*/*"];
    item[method] = {
      ...common(operation),
      parameters: query.map(({ name, type }) => ({ in: "query", name, schema: { type, uniqueItems: true } })),
      ...(body
        ? { requestBody: { content: content(media, body), ...(body.required ? { required: true } : {}) } }
        : {}),
      responses,
    };
  }
  const shared = pathParameters(operations[0]!.path).map((p) => ({
    ...p,
    schema: { type: "string", uniqueItems: true },
  }));
  if (shared.length > 0) item.parameters = shared;
  return item;
}
