import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { DeviceClassSpec, DeviceClass as DeviceClassType } from "../schema/resource.v1.generated.ts";
import { validateList } from "./checks.ts";
import { LIST_MAX, validateOpaque, validateSelectors } from "./validate-claim.ts";

export type DeviceClass = DeviceClassType;

/** Which devices claims may ask for by one name, and how they are set up. */
export const DeviceClass = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  scope: "Cluster",
  definition: "resource.v1.DeviceClass",
  validateName: nameIsDNSSubdomain,
  validate: ({ spec }) => validate(spec, undefined),
  validateUpdate: ({ spec }, old) => validate(spec, old.spec),
  validatesAll: true,
  generationOf: ({ spec }) => spec,
  returnsDeletedObject: true,
  columns: [nameColumn, ageColumn],
});

/** Lists that are as they were were taken once and are not held to newer limits. */
function validate(spec: DeviceClassSpec | undefined, old: DeviceClassSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { selectors, config, extendedResourceName: name } = spec ?? {};
  const sameSelectors = old !== undefined && semanticEqual(selectors, old.selectors);
  validateSelectors(selectors, sameSelectors, path.child("selectors"), errors);
  const sameConfig = old !== undefined && semanticEqual(config, old.config);
  validateList(config, LIST_MAX, path.child("config"), errors, ({ opaque }, at) =>
    validateOpaque(opaque, sameConfig, at.child("opaque"), errors),
  );
  if (name !== undefined && !isExtendedResourceName(name)) {
    const why = "must be a valid extended resource name";
    errors.push(invalidValue(path.child("extendedResourceName"), name, why));
  }
  return errors;
}

/** A resource that is nobody's but its vendor's, and whose name quotas can put `requests.` before. */
function isExtendedResourceName(name: string): boolean {
  if (!name.includes("/") || name.includes("kubernetes.io/") || name.startsWith("requests.")) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}
