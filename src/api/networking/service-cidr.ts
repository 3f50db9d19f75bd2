import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { parseCIDR } from "../../machinery/names/ip-address.ts";
import { isValidCIDR, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import { sameShape } from "../same-shape.ts";
import type { ServiceCIDR as ServiceCIDRType } from "../schema/networking.v1.generated.ts";

export type ServiceCIDR = ServiceCIDRType;

/** A range that addresses of services are taken from. */
export const ServiceCIDR = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  scope: "Cluster",
  definition: "networking.v1.ServiceCIDR",
  alternates: [
    sameShape("networking.k8s.io", "ServiceCIDR", "v1", "v1beta1", "networking.v1beta1.ServiceCIDR"),
  ],
  validateName: nameIsDNSSubdomain,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  validateUpdate,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (object, old) => take(object, old, "spec"),
      resets: ["spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "CIDRs", type: "string", cell: ({ spec }) => (spec?.cidrs ?? []).join(",") },
    ageColumn,
  ],
});

function validate({ spec }: ServiceCIDR): FieldError[] {
  const path = FieldPath.root("spec", "cidrs");
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required(path, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalidValue(path, spec, "may only hold up to 2 values")];
  const errors: FieldError[] = [];
  for (const [i, cidr] of cidrs.entries()) {
    for (const text of isValidCIDR(cidr)) errors.push(invalidValue(path.index(i), cidr, text));
  }
  const [first, second] = cidrs.map((cidr) => parseCIDR(cidr)?.address.family);
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    errors.push(invalidValue(path, spec, why));
  }
  return errors;
}

/** A second family may be added; what is there stays. */
function validateUpdate(now: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const path = FieldPath.root("spec", "cidrs");
  const before = old.spec?.cidrs ?? [];
  const after = now.spec?.cidrs ?? [];
  if (before.length === 2 && after.length === 1) {
    return [invalidValue(path, after, "field is immutable")];
  }
  const errors: FieldError[] = [];
  for (const [i, cidr] of before.entries()) {
    if (after[i] !== cidr) errors.push(invalidValue(path.index(i), after[i] ?? "", "field is immutable"));
  }
  return errors;
}
