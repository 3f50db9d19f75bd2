import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { formatIP, parseIP } from "../../machinery/names/ip-address.ts";
import { isDNS1123Subdomain, isPathSegmentName } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import { sameShape } from "../same-shape.ts";
import type { IPAddress as IPAddressType } from "../schema/networking.v1.generated.ts";

export type IPAddress = IPAddressType;

/** That an address is taken, and by what: the allocation of service addresses. */
export const IPAddress = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  scope: "Cluster",
  shortNames: ["ip"],
  definition: "networking.v1.IPAddress",
  alternates: [sameShape("networking.k8s.io", "IPAddress", "v1", "v1beta1", "networking.v1beta1.IPAddress")],
  validateName,
  validate,
  validateUpdate: (now, old) =>
    immutableField(FieldPath.root("spec", "parentRef"), now.spec.parentRef, old.spec.parentRef),
  fields: {
    "spec.parentRef.group": ({ spec }) => spec.parentRef.group ?? "",
    "spec.parentRef.resource": ({ spec }) => spec.parentRef.resource,
    "spec.parentRef.namespace": ({ spec }) => spec.parentRef.namespace ?? "",
    "spec.parentRef.name": ({ spec }) => spec.parentRef.name,
  },
  columns: [nameColumn, { name: "ParentRef", type: "string", cell: parentCell }, ageColumn],
});

function validateName(name: string): string[] {
  const ip = parseIP(name);
  return ip && !ip.leadingZero && formatIP(ip) === name
    ? []
    : ["must be a valid IP address in canonical form"];
}

function parentCell({ spec }: IPAddress): string {
  const { group = "", resource = "", namespace = "", name = "" } = spec?.parentRef ?? {};
  return [group, resource, namespace, name].filter((part) => part !== "").join("/") || "<none>";
}

function validate({ spec }: IPAddress): FieldError[] {
  const path = FieldPath.root("spec", "parentRef");
  if (!spec?.parentRef) return [required(path)];
  const errors: FieldError[] = [];
  const { group = "", resource = "", namespace = "", name = "" } = spec.parentRef;
  if (group !== "") {
    for (const text of isDNS1123Subdomain(group)) errors.push(invalidValue(path.child("group"), group, text));
  }
  if (resource === "") errors.push(required(path.child("resource")));
  else
    for (const text of isPathSegmentName(resource))
      errors.push(invalidValue(path.child("resource"), resource, text));
  if (name === "") errors.push(required(path.child("name")));
  else for (const text of isPathSegmentName(name)) errors.push(invalidValue(path.child("name"), name, text));
  if (namespace !== "") {
    for (const text of isPathSegmentName(namespace)) {
      errors.push(invalidValue(path.child("namespace"), namespace, text));
    }
  }
  return errors;
}
