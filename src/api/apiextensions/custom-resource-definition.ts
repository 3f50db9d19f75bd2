import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defaultWebhookClient } from "../core/webhook-client.ts";
import { defineResource } from "../resource.ts";
import type { CustomResourceDefinition as CustomResourceDefinitionType } from "../schema/apiextensions.v1.generated.ts";
import { unrecognizedFormats } from "./formats.ts";
import { dropNulls } from "./schema-walk.ts";
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatus,
  validateCustomResourceDefinitionUpdate,
} from "./validate-custom-resource-definition.ts";

export type CustomResourceDefinition = CustomResourceDefinitionType;

/** A kind that users add: its names, versions and schemas. */
export const CustomResourceDefinition = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  scope: "Cluster",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  definition: "apiextensions.v1.CustomResourceDefinition",
  validateName: nameIsDNSSubdomain,
  defaults,
  prepareForCreate(object) {
    object.status = { acceptedNames: { kind: "", plural: "" }, conditions: [], storedVersions: [] };
    rememberStorageVersion(object);
  },
  prepareForUpdate(object, old) {
    take(object, old, "status");
    rememberStorageVersion(object);
  },
  validate: validateCustomResourceDefinition,
  validateUpdate: validateCustomResourceDefinitionUpdate,
  validatesAll: true,
  warnings(object, old) {
    const known = new Set(old ? unrecognizedFormats(old) : []);
    return unrecognizedFormats(object)
      .filter((format) => !known.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`);
  },
  generationOf: ({ spec }) => spec,
  allowUnconditionalUpdate: false,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      // The metadata may be changed here, whatever `resets` says: so it is upstream.
      prepare: (object, old) => take(object, old, "spec"),
      validate: validateCustomResourceDefinitionStatus,
      resets: ["metadata", "spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Created At", type: "date", cell: ({ metadata }) => metadata.creationTimestamp },
  ],
});

function defaults(object: CustomResourceDefinition): void {
  // Required, but that is for `validate` to say.
  const spec: Partial<CustomResourceDefinition["spec"]> | undefined = object.spec;
  if (!spec) return;
  const { names } = spec;
  if (names) {
    const { kind = "" } = names;
    if (!names.singular && kind !== "") names.singular = kind.toLowerCase();
    if (!names.listKind && kind !== "") names.listKind = `${kind}List`;
  }
  for (const { schema } of spec.versions ?? []) dropNulls(schema?.openAPIV3Schema);
  spec.conversion ??= { strategy: "None" };
  defaultWebhookClient(spec.conversion.webhook?.clientConfig);
  if (object.status && !object.status.storedVersions?.length) rememberStorageVersion(object);
}

/** Adds the version that objects are written in from now on to those that may be in the store. */
function rememberStorageVersion(object: CustomResourceDefinition): void {
  const { status = {}, spec } = object;
  const storage = spec?.versions?.find((version) => version.storage)?.name;
  const stored = status.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage)) return;
  object.status = { ...status, storedVersions: [...stored, storage] };
}
