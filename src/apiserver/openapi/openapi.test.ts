import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { KubeObject } from "../../api/object.ts";
import { defineResource, type Resource, type Subresource, type Verb } from "../../api/resource.ts";
import { schemas } from "../../api/schema/schemas.ts";
import { ProtobufReader } from "../../machinery/protobuf/reader.ts";
import { documentText } from "./documents.ts";
import { makeOpenAPI } from "./openapi.ts";

const reference = new URL("../../../../shared/reference/", import.meta.url);
const skip = existsSync(reference) ? false : "the reference data is not beside the checkout";

interface Swagger {
  paths: Record<string, Record<string, Record<string, unknown>>>;
  definitions: Record<string, Record<string, unknown>>;
}

interface Discovered {
  resource: string;
  responseKind: { kind: string };
  scope: string;
  singularResource: string;
  verbs: Verb[];
  subresources?: {
    subresource: string;
    responseKind: { group: string; version: string; kind: string };
    verbs: ("create" | "delete" | "get" | "patch" | "update")[];
  }[];
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, reference), "utf8"));
}

/** Folders of definitions, where it is not the group's first word. */
const FOLDERS: Record<string, string> = { "": "core", "internal.apiserver.k8s.io": "apiserverinternal" };

function folderOf(group: string): string {
  return FOLDERS[group] ?? (group.split(".")[0] as string);
}

/** Declarations that say what the reference's discovery says. */
function declared(): Resource<KubeObject>[] {
  const { resources: core } = read("discovery/api__v1.json") as { resources: Record<string, unknown>[] };
  const all: Resource<KubeObject>[] = [];
  const items = (
    read("discovery/aggregated_v2.json") as {
      items: { metadata: { name: string }; versions: { version: string; resources: Discovered[] }[] }[];
    }
  ).items;
  for (const { metadata, versions } of items) {
    for (const { version, resources } of versions) {
      for (const found of resources) all.push(declare(metadata.name, version, found));
    }
  }
  for (const found of core.filter(({ name }) => !(name as string).includes("/"))) {
    const below = core.filter(({ name }) => (name as string).startsWith(`${found.name}/`));
    all.push(
      declare("", "v1", {
        resource: found.name as string,
        responseKind: { kind: found.kind as string },
        scope: found.namespaced ? "Namespaced" : "Cluster",
        singularResource: found.singularName as string,
        verbs: found.verbs as Verb[],
        subresources: below.map(({ name, group = "", version = "", kind, verbs }) => ({
          subresource: (name as string).slice((found.name as string).length + 1),
          responseKind: { group, version, kind } as { group: string; version: string; kind: string },
          verbs: verbs as "get"[],
        })),
      }),
    );
  }
  return all;
}

/** Kinds whose DELETE answers with the object, which discovery does not tell. */
const ANSWERS_ITSELF = new Set(
  `CSIDriver CSINode DeviceClass DeviceTaintRule PersistentVolume PersistentVolumeClaim Pod PodTemplate ResourceClaim
  ResourceClaimTemplate ResourcePoolStatusRequest ResourceQuota ResourceSlice Service ServiceAccount StorageClass
  VolumeAttachment VolumeAttributesClass`.split(/\s+/),
);

function declare(group: string, version: string, found: Discovered): Resource<KubeObject> {
  const { kind } = found.responseKind;
  const subresources: Record<string, Subresource<KubeObject>> = {};
  for (const { subresource, responseKind: sub, verbs } of found.subresources ?? []) {
    subresources[subresource] = subresourceOf({ group, version, kind }, subresource, sub, verbs);
  }
  return defineResource<KubeObject>({
    group,
    version,
    kind,
    plural: found.resource,
    singular: found.singularResource,
    scope: found.scope as "Cluster",
    definition: `${folderOf(group)}.${version}.${kind}`,
    verbs: found.verbs,
    subresources,
    ...(ANSWERS_ITSELF.has(kind) ? { returnsDeletedObject: true } : {}),
  });
}

function subresourceOf(
  of: { group: string; version: string; kind: string },
  name: string,
  sub: { group: string; version: string; kind: string },
  verbs: ("create" | "delete" | "get" | "patch" | "update")[],
): Subresource<KubeObject> {
  if (sub.kind === "Scale") {
    const none = () => 0;
    return {
      acts: "scale",
      replicas: none,
      setReplicas: none,
      statusReplicas: none,
      selector: String,
      replicasPath: "",
    };
  }
  if (sub.kind.endsWith("Options") || name === "log") return takesPath(name, sub.kind, verbs);
  if (verbs.includes("create")) {
    const kind = sub.version === "" ? { ...of, kind: sub.kind } : sub;
    const definition = `${folderOf(kind.group)}.${kind.version}.${kind.kind}`;
    return { acts: "create", kind, definition, create: async (_, body) => body };
  }
  return { acts: "update", verbs: verbs as "get"[], prepare() {}, resets: [] };
}

function takesPath(
  name: string,
  kind: string,
  verbs: ("create" | "get")[] | string[],
): Subresource<KubeObject> {
  const connect = { acts: "connect", kind, verbs: verbs as "get"[] } as const;
  return name === "proxy" ? { ...connect, takesPath: true } : connect;
}

function documentOf(form: 2 | 3): Swagger {
  const source = { resources: declared(), schemas, version: "v1.36.0" };
  return JSON.parse([...documentText(source, form)].join(""));
}

/** Without prose, and lists in a fixed order where their order says nothing. */
function facts(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner) => {
      if (key === "description" && typeof inner === "string") return undefined;
      if (key === "required" && Array.isArray(inner)) return [...inner].sort();
      if (key === "x-kubernetes-group-version-kind" && Array.isArray(inner)) {
        return inner.map(({ group, version, kind }) => `${group}/${version}/${kind}`).sort();
      }
      return inner;
    }),
  );
}

/** Served by other parts than resources. */
const OTHERS = ["/.well-known/", "/logs/", "/openid/"];

function configMaps(): Resource<KubeObject> {
  return defineResource<KubeObject>({
    group: "",
    version: "v1",
    kind: "ConfigMap",
    plural: "configmaps",
    scope: "Namespaced",
    definition: "core.v1.ConfigMap",
  });
}

/** The contents of a protobuf message's members of a number, none of which is a plain number. */
function members(message: Uint8Array, number: number): Uint8Array[] {
  const reader = new ProtobufReader(message);
  const found: Uint8Array[] = [];
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const content = reader.raw();
    if (tag >> 3 === number) found.push(content);
  }
  return found;
}

describe("OpenAPI", () => {
  test("describes every path, method, id, kind and answer of the reference", { skip }, () => {
    const wanted = (read("swagger.json") as Swagger).paths;
    const ours = documentOf(2).paths;
    const missing: string[] = [];
    for (const [path, item] of Object.entries(wanted)) {
      if (OTHERS.some((other) => path.startsWith(other))) continue;
      for (const [method, operation] of Object.entries(item)) {
        if (method === "parameters") continue;
        const found = ours[path]?.[method];
        const pick = (o: Record<string, unknown> | undefined) =>
          o &&
          facts([
            o.operationId,
            o.tags,
            o["x-kubernetes-action"],
            o["x-kubernetes-group-version-kind"],
            o.responses,
          ]);
        const [a, b] = [JSON.stringify(pick(found)), JSON.stringify(pick(operation))];
        if (a !== b) missing.push(`${method} ${path}\n  ours ${a}\n  want ${b}`);
      }
    }
    assert.deepEqual(missing, []);
    const extra = Object.keys(ours).filter((path) => !Object.hasOwn(wanted, path));
    assert.deepEqual(extra, []);
  });

  test("defines the types of the reference with the same fields and extensions", { skip }, () => {
    const wanted = (read("swagger.json") as Swagger).definitions;
    const ours = documentOf(2).definitions;
    const different: string[] = [];
    for (const [name, definition] of Object.entries(wanted)) {
      const [a, b] = [facts(ours[name] ?? null), facts(definition)];
      try {
        assert.deepEqual(a, b);
      } catch {
        different.push(`${name}\n  ours ${JSON.stringify(a)}\n  want ${JSON.stringify(b)}`);
      }
    }
    assert.deepEqual(different, []);
  });

  test("has an index of documents that may be cached for ever by their hash", async () => {
    let pauses = 0;
    const pacing = { slice: 0, clock: () => 0, pause: async () => void pauses++ };
    const openapi = makeOpenAPI({ resources: [configMaps()], schemas, version: "v1.36.0" }, pacing);
    const index = await openapi.answer({ path: "/openapi/v3" });
    const { paths } = JSON.parse(Buffer.from(index?.body ?? []).toString());
    assert.deepEqual(Object.keys(paths), ["api/v1"]);
    const url = new URL(paths["api/v1"].serverRelativeURL, "http://x");
    const request = { path: url.pathname, hash: url.searchParams.get("hash") ?? "" };
    const answer = await openapi.answer(request);
    assert.equal(answer?.headers["Cache-Control"], "public, immutable");
    assert.equal(answer?.headers.ETag, `"${request.hash}"`);
    assert.equal((await openapi.answer({ ...request, ifNoneMatch: answer?.headers.ETag }))?.status, 304);
    assert.equal((await openapi.answer({ ...request, hash: "other" }))?.status, 301);
    const { components } = JSON.parse(Buffer.from(answer?.body ?? []).toString());
    const map = components.schemas["io.k8s.api.core.v1.ConfigMap"];
    const ref = { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };
    assert.deepEqual(map.properties.metadata, { allOf: [ref] });
    assert.ok(components.schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]);
    assert.ok(pauses > 5);
  });

  test("answers protobuf to who takes only that, with every path and definition of the JSON form", async () => {
    const openapi = makeOpenAPI({ resources: [configMaps()], schemas, version: "v1.36.0" });
    const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const answer = await openapi.answer({ path: "/openapi/v2", accept });
    const type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    assert.equal(answer?.headers["Content-Type"], type);
    const body = answer?.body ?? new Uint8Array();
    const json = await openapi.answer({ path: "/openapi/v2", accept: `${accept}, application/json` });
    assert.equal(json?.headers["Content-Type"], "application/json");
    const { paths, definitions } = JSON.parse(Buffer.from(json?.body ?? []).toString());
    const names = (outer: number, inner: number) =>
      members(body, outer).flatMap((part) =>
        members(part, inner).flatMap((pair) => members(pair, 1).map((name) => Buffer.from(name).toString())),
      );
    assert.deepEqual(names(8, 2), Object.keys(paths));
    assert.deepEqual(names(9, 1), Object.keys(definitions));
    assert.ok(Object.keys(paths).length > 5);
  });

  test("answers 406 to who takes neither JSON nor protobuf", async () => {
    const openapi = makeOpenAPI({ resources: [], schemas, version: "v1.36.0" });
    assert.equal((await openapi.answer({ path: "/openapi/v2", accept: "text/html" }))?.status, 406);
    assert.equal(await openapi.answer({ path: "/openapi/v4" }), undefined);
  });
});
