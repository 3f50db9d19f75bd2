import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import {
  byteLength,
  isDNS1123Label,
  isDNS1123Subdomain,
  isDomainPrefixedPath,
  isPathSegmentName,
  nameIsDNSSubdomain,
} from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type {
  IngressClassParametersReference,
  IngressClass as IngressClassType,
} from "../schema/networking.v1.generated.ts";

export type IngressClass = IngressClassType;

const CONTROLLER_MAX = 250;

/** Which controller serves the ingresses of a class. */
export const IngressClass = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  scope: "Cluster",
  definition: "networking.v1.IngressClass",
  validateName: nameIsDNSSubdomain,
  defaults({ spec }) {
    const parameters = spec?.parameters;
    if (parameters) parameters.scope ??= "Cluster";
  },
  validate,
  validateUpdate: (now, old) =>
    immutableField(FieldPath.root("spec", "controller"), now.spec?.controller, old.spec?.controller),
  generationOf: ({ spec }) => spec,
  columns: [
    nameColumn,
    { name: "Controller", type: "string", cell: ({ spec }) => spec?.controller ?? "" },
    { name: "Parameters", type: "string", cell: ({ spec }) => parametersCell(spec?.parameters) },
    ageColumn,
  ],
});

function parametersCell(parameters: IngressClassParametersReference | undefined): string {
  if (!parameters) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${apiGroup !== undefined ? `${kind}.${apiGroup}` : kind}/${name}`;
}

function validate({ spec = {} }: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { controller = "", parameters } = spec;
  if (byteLength(controller) > CONTROLLER_MAX) errors.push(tooLong(path.child("controller"), CONTROLLER_MAX));
  errors.push(...isDomainPrefixedPath(path.child("controller"), controller));
  if (parameters) validateParameters(parameters, path.child("parameters"), errors);
  return errors;
}

function validateParameters(
  { apiGroup, kind = "", name = "", scope, namespace }: IngressClassParametersReference,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (apiGroup !== undefined) {
    for (const text of isDNS1123Subdomain(apiGroup))
      errors.push(invalidValue(path.child("apiGroup"), apiGroup, text));
  }
  if (kind === "") errors.push(required(path.child("kind")));
  else for (const text of isPathSegmentName(kind)) errors.push(invalidValue(path.child("kind"), kind, text));
  if (name === "") errors.push(required(path.child("name")));
  else for (const text of isPathSegmentName(name)) errors.push(invalidValue(path.child("name"), name, text));
  if (namespace !== undefined && namespace !== "") {
    for (const text of isDNS1123Label(namespace))
      errors.push(invalidValue(path.child("namespace"), namespace, text));
  }
  if (scope === undefined) {
    errors.push(required(path.child("scope")));
    return;
  }
  if (scope === "Namespace") {
    if (namespace === undefined) {
      const why = '`parameters.scope` is set to "Namespace"';
      errors.push(required(path.child("namespace"), why));
    }
  } else if (scope === "Cluster") {
    if (namespace !== undefined) {
      errors.push(forbiddenField(path.child("namespace"), '`parameters.scope` is set to "Cluster"'));
    }
  } else errors.push(notSupported(path.child("scope"), scope, ["Cluster", "Namespace"]));
}
