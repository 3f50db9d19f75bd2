/** The server's rendering of objects for `kubectl get`: meta.k8s.io Table, and metadata alone. */
import type { KubeObject } from "../../api/object.ts";
import type { Column, Resource } from "../../api/resource.ts";
import { badRequest } from "../../machinery/status/status-error.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

export function includeObject(value: string | null): IncludeObject {
  if (value === null || value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

const NAME: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  cell: ({ metadata }) => metadata.name,
};

const CREATED: Column<KubeObject> = {
  name: "Created At",
  type: "date",
  description: "The time at which the object was created.",
  cell: ({ metadata }) => metadata.creationTimestamp,
};

/** The columns of a resource; those of a kind without any are its name and when it was made. */
export function columnsOf(resource: Resource): readonly Column<KubeObject>[] {
  return resource.columns.length > 0 ? resource.columns : [NAME, CREATED];
}

export function columnDefinitions(resource: Resource): object[] {
  return columnsOf(resource).map(({ name, type, format = "", description = "", priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

export function rowOf(
  resource: Resource,
  object: KubeObject,
  shown: KubeObject,
  version: string,
  include: IncludeObject,
  now: Date,
): object {
  const cells = columnsOf(resource).map((column) => column.cell(object, now) ?? null);
  const embedded = include === "None" ? null : include === "Object" ? shown : partialOf(object, version);
  return { cells, object: embedded };
}

export function tableOf(
  resource: Resource,
  rows: readonly object[],
  metadata: object,
  version: string,
  bare = false,
): object {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: bare ? null : columnDefinitions(resource),
    rows,
  };
}

export function partialOf({ metadata }: KubeObject, version: string): KubeObject {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata };
}
