import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1123Label, isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { validateLabels } from "../../machinery/selectors/validate.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type { RuntimeClass as RuntimeClassType } from "../schema/node.v1.generated.ts";

export type RuntimeClass = RuntimeClassType;

/** Which configuration of the container runtime runs a pod, and what that costs. */
export const RuntimeClass = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  scope: "Cluster",
  definition: "node.v1.RuntimeClass",
  validateName: nameIsDNSSubdomain,
  validate,
  validateUpdate: (now, old) => immutableField(FieldPath.root("handler"), now.handler, old.handler),
  allowUnconditionalUpdate: false,
  columns: [nameColumn, { name: "Handler", type: "string", cell: ({ handler }) => handler }, ageColumn],
});

function validate({ handler = "", overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors: FieldError[] = [];
  for (const text of isDNS1123Label(handler))
    errors.push(invalidValue(FieldPath.root("handler"), handler, text));
  for (const [name, amount] of Object.entries(overhead?.podFixed ?? {})) {
    const path = FieldPath.root("overhead", "podFixed").key(name);
    for (const text of isQualifiedName(name)) errors.push(invalidValue(path, name, text));
    if (Quantity.parse(amount).sign() < 0) {
      errors.push(invalidValue(path, amount, "must be greater than or equal to 0"));
    }
  }
  errors.push(...validateLabels(scheduling?.nodeSelector, FieldPath.root("scheduling", "nodeSelector")));
  return errors;
}
