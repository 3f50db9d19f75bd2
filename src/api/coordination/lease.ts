import { type FieldError, invalidValue, notSupported } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { Lease as LeaseType } from "../schema/coordination.v1.generated.ts";

export type Lease = LeaseType;

/** Who holds something, and until when: heartbeats of nodes and leader election. */
export const Lease = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
  definition: "coordination.v1.Lease",
  validateName: nameIsDNSSubdomain,
  validate,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "Holder", type: "string", cell: ({ spec }) => spec?.holderIdentity ?? "" },
    ageColumn,
  ],
});

function validate({ spec }: Lease): FieldError[] {
  if (!spec) return [];
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(
      invalidValue(path.child("leaseDurationSeconds"), leaseDurationSeconds, "must be greater than 0"),
    );
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    const why = "must be greater than or equal to 0";
    errors.push(invalidValue(path.child("leaseTransitions"), leaseTransitions, why));
  }
  if (strategy !== undefined) {
    if (strategy.includes("/")) {
      for (const text of isQualifiedName(strategy)) {
        errors.push(invalidValue(path.child("strategy"), strategy, text));
      }
    } else if (strategy !== "OldestEmulationVersion") {
      errors.push(notSupported(path.child("strategy"), strategy, ["OldestEmulationVersion"]));
    }
  } else if (preferredHolder !== undefined && preferredHolder !== "") {
    const why = "may only be specified if `strategy` is defined";
    errors.push(invalidValue(path.child("preferredHolder"), preferredHolder, why));
  }
  return errors;
}
