import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { defineResource } from "../resource.ts";
import type { ControllerRevision as RevisionObject } from "../schema/apps.v1.generated.ts";

const DATA = FieldPath.root("data");
const ROOT = FieldPath.root("");

function validate({ data, revision }: RevisionObject): FieldError[] {
  const errors: FieldError[] = [];
  nonNegative(errors, revision, ROOT, "revision");
  if (data === undefined || data === null) errors.push(required(DATA, "data is mandatory"));
  return errors;
}

/** A state of a StatefulSet or DaemonSet that was, and can be gone back to. */
export type ControllerRevision = RevisionObject;

export const ControllerRevision = defineResource<RevisionObject>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
  definition: "apps.v1.ControllerRevision",
  validateName: nameIsDNSSubdomain,
  validate,
  validateUpdate: (object, old) =>
    semanticEqual(object.data, old.data)
      ? []
      : [invalidValue(DATA, object.data ?? null, "field is immutable")],
  columns: [
    nameColumn,
    {
      name: "Controller",
      type: "string",
      cell({ metadata }) {
        const owner = metadata.ownerReferences?.find(({ controller }) => controller);
        if (!owner) return "<none>";
        const slash = owner.apiVersion.indexOf("/");
        const group = slash < 0 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
        return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
      },
    },
    { name: "Revision", type: "integer", cell: ({ revision }) => revision },
    ageColumn,
  ],
});
