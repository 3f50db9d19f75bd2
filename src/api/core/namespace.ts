import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName, nameIsDNSLabel } from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { defineResource, STANDARD_VERBS } from "../resource.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { take } from "./take.ts";

export interface NamespaceCondition {
  type: string;
  status: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: "Active" | "Terminating"; conditions?: NamespaceCondition[] };
}

/**
 * A namespace lives in two steps: Active, then, from its deletion on, Terminating until the namespace controller has
 * emptied it and takes the last of `spec.finalizers` away through the finalize subresource.
 */
export const Namespace = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  scope: "Cluster",
  shortNames: ["ns"],
  definition: "core.v1.Namespace",
  verbs: STANDARD_VERBS.filter((verb) => verb !== "deletecollection"),
  validateName: nameIsDNSLabel,
  defaults: ({ metadata }) => {
    if (metadata.name) metadata.labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name };
  },
  prepareForCreate(namespace) {
    namespace.status = { phase: "Active" };
    const finalizers = namespace.spec?.finalizers ?? [];
    if (!finalizers.includes("kubernetes")) {
      namespace.spec = { ...namespace.spec, finalizers: [...finalizers, "kubernetes"] };
    }
  },
  prepareForUpdate(namespace, old) {
    take(namespace, old, "spec");
    take(namespace, old, "status");
  },
  validate: validateFinalizers,
  deletion: {
    begin(namespace) {
      namespace.status = { ...namespace.status, phase: "Terminating" };
    },
    held: ({ spec }) => (spec?.finalizers?.length ?? 0) > 0,
  },
  subresources: {
    finalize: {
      acts: "update",
      verbs: ["update"],
      prepare: (namespace, old) => take(namespace, old, "status"),
      validate: validateFinalizers,
      resets: ["status"],
    },
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (namespace, old) => take(namespace, old, "spec"),
      validate: validateStatus,
      resets: ["spec"],
    },
  },
  columns: [nameColumn, { name: "Status", type: "string", cell: ({ status }) => status?.phase }, ageColumn],
  fields: {
    name: ({ metadata }) => metadata.name ?? "",
    "status.phase": ({ status }) => status?.phase ?? "",
  },
});

const STANDARD_FINALIZERS = ["kubernetes", "foregroundDeletion", "orphan"];

function validateFinalizers({ spec }: Namespace): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec", "finalizers");
  for (const [i, name] of (spec?.finalizers ?? []).entries()) {
    for (const text of isQualifiedName(name)) errors.push(invalidValue(path.index(i), name, text));
    if (!name.includes("/") && !STANDARD_FINALIZERS.includes(name)) {
      const why = "name is neither a standard finalizer name nor is it fully qualified";
      errors.push(invalidValue(path.index(i), name, why));
    }
  }
  return errors;
}

function validateStatus({ metadata, status }: Namespace): FieldError[] {
  const phase = status?.phase ?? "";
  const [wanted, when] = metadata.deletionTimestamp ? ["Terminating", "not empty"] : ["Active", "empty"];
  if (phase === wanted) return [];
  const why = `may only be '${wanted}' if \`deletionTimestamp\` is ${when}`;
  return [invalidValue(FieldPath.root("status", "Phase"), phase, why)];
}
