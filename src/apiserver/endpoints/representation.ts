/** The bytes of an object, a list or an event in the form that a client asked for. */
import type { KubeObject } from "../../api/object.ts";
import { stringify } from "../../machinery/json/json.ts";
import { encodeProtobufObject } from "../../machinery/protobuf/protobuf.ts";
import type { Schemas } from "../../machinery/schema/schema.ts";
import { stringifyYAML } from "../../machinery/yaml/yaml.ts";
import type { Served } from "../registry/registry.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { type Accepted, MEDIA_TYPES } from "./negotiate.ts";
import { type IncludeObject, partialOf, rowOf, tableOf } from "./table.ts";

export interface Form {
  served: Served;
  accepted: Accepted;
  include: IncludeObject;
  /** A Table without its columns: they are named in a watch's first event only. */
  bare?: true;
  pretty: boolean;
  schemas: Schemas;
  now: () => Date;
}

/** The object in the version in which it was asked for. */
export function inVersion({ alternate, apiVersion, kind }: Served, object: KubeObject): KubeObject {
  if (!alternate) return object;
  const { apiVersion: _, kind: __, ...rest } = alternate.fromStored(object);
  return { apiVersion, kind, ...rest };
}

/** Whether the cached bytes can be sent as they are. */
export function isPlain({ served, accepted, pretty }: Form): boolean {
  return accepted.format === "json" && accepted.as === undefined && !served.alternate && !pretty;
}

export function objectBytes(form: Form, object: CachedObject): Uint8Array | string {
  return isPlain(form) ? object.json : valueBytes(form, shownOf(form, object.read()));
}

/** What is shown of one object: itself, its metadata, or a table with one row. */
function shownOf(form: Form, object: KubeObject): { value: object; definition: string } {
  const { served, accepted, include, bare } = form;
  const { as, version = "v1" } = accepted;
  const shown = inVersion(served, object);
  if (as === undefined || as === "PartialObjectMetadataList")
    return { value: shown, definition: served.definition };
  if (as === "PartialObjectMetadata") {
    return { value: partialOf(object, version), definition: "meta.v1.PartialObjectMetadata" };
  }
  const row = rowOf(served.resource, object, shown, version, include, form.now());
  const { resourceVersion } = object.metadata;
  return {
    value: tableOf(served.resource, [row], { resourceVersion }, version, bare),
    definition: "meta.v1.Table",
  };
}

/** A bookmark, which is an object of nothing but its metadata, as the watch's other objects are shown. */
export function shownBookmark(
  { served, accepted, bare }: Form,
  mark: KubeObject,
): { value: object; definition: string } {
  const { as, version = "v1" } = accepted;
  if (as === "PartialObjectMetadata") {
    return { value: partialOf(mark, version), definition: "meta.v1.PartialObjectMetadata" };
  }
  if (as !== "Table") return { value: mark, definition: served.definition };
  const { resourceVersion } = mark.metadata;
  const row = { cells: [], object: partialOf(mark, version) };
  return {
    value: tableOf(served.resource, [row], { resourceVersion }, version, bare),
    definition: "meta.v1.Table",
  };
}

export interface ListFacts {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** A list in any form but plain JSON, which is streamed instead. */
export function listBytes(
  form: Form,
  items: readonly CachedObject[],
  metadata: ListFacts,
): Uint8Array | string {
  const { served, accepted } = form;
  const { as, version = "v1" } = accepted;
  if (as === "Table") {
    const now = form.now();
    const rows = items.map(({ object }) =>
      rowOf(served.resource, object, inVersion(served, object), version, form.include, now),
    );
    return valueBytes(form, {
      value: tableOf(served.resource, rows, metadata, version),
      definition: "meta.v1.Table",
    });
  }
  if (as !== undefined) {
    const list = {
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${version}`,
      metadata,
      items: items.map(({ object }) => partialOf(object, version)),
    };
    return valueBytes(form, { value: list, definition: "meta.v1.PartialObjectMetadataList" });
  }
  const list = {
    kind: `${served.kind}List`,
    apiVersion: served.apiVersion,
    metadata,
    items: items.map(({ object }) => {
      const { apiVersion: _, kind: __, ...rest } = inVersion(served, object);
      return rest;
    }),
  };
  return valueBytes(form, { value: list, definition: `${served.definition}List` });
}

export function valueBytes(
  { accepted, pretty, schemas }: Pick<Form, "accepted" | "pretty" | "schemas">,
  { value, definition }: { value: object; definition: string },
): Uint8Array | string {
  if (accepted.format === "yaml") return stringifyYAML(value);
  if (accepted.format === "protobuf" && definition !== "meta.v1.Table") {
    return encodeProtobufObject(schemas, definition, value as KubeObject);
  }
  return pretty ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value);
}

export function contentTypeOf({ accepted }: Pick<Form, "accepted">): string {
  return accepted.format === "protobuf" && accepted.as === "Table"
    ? MEDIA_TYPES.json
    : MEDIA_TYPES[accepted.format];
}
