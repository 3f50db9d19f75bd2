import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { immutableField } from "./immutable.ts";
import { take } from "./take.ts";

export interface ResourceQuota extends KubeObject {
  spec?: {
    hard?: Record<string, string>;
    scopes?: string[];
    scopeSelector?: { matchExpressions?: { scopeName: string; operator: string; values?: string[] }[] };
  };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

export const ResourceQuota = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  scope: "Namespaced",
  shortNames: ["quota"],
  definition: "core.v1.ResourceQuota",
  returnsDeletedObject: true,
  allowCreateOnUpdate: false,
  validateName: nameIsDNSSubdomain,
  prepareForCreate(quota) {
    quota.status = {};
  },
  prepareForUpdate: (quota, old) => take(quota, old, "status"),
  validate,
  validateUpdate: (now, old) => [
    ...immutableField(
      FieldPath.root("spec", "scopes"),
      now.spec?.scopes?.toSorted(),
      old.spec?.scopes?.toSorted(),
    ),
    ...immutableField(
      FieldPath.root("spec", "scopeSelector"),
      now.spec?.scopeSelector,
      old.spec?.scopeSelector,
    ),
  ],
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (quota, old) => take(quota, old, "spec"),
      validate: ({ status }) => [
        ...validateList(status?.hard, FieldPath.root("status", "hard")),
        ...validateList(status?.used, FieldPath.root("status", "used")),
      ],
      resets: ["spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Request", type: "string", cell: (quota) => usage(quota, (name) => !name.startsWith("limits.")) },
    { name: "Limit", type: "string", cell: (quota) => usage(quota, (name) => name.startsWith("limits.")) },
    ageColumn,
  ],
});

function usage({ status }: ResourceQuota, shown: (name: string) => boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  const names = Object.keys(hard).filter(shown).sort();
  return names.map((name) => `${name}: ${used[name] ?? "0"}/${hard[name]}`).join(", ");
}

/** Counted in whole objects. */
const COUNTED = new Set([
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);
const AMOUNTS = new Set([
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
]);

const SCOPES = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
  "VolumeAttributesClass",
]);
const EXCLUSIVE = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

function validate({ spec = {} }: ResourceQuota): FieldError[] {
  const errors = validateList(spec.hard, FieldPath.root("spec", "hard"));
  const path = FieldPath.root("spec", "scopes");
  const { scopes = [] } = spec;
  for (const scope of scopes) {
    if (!SCOPES.has(scope)) errors.push(invalidValue(path, scopes, "unsupported scope"));
  }
  for (const pair of EXCLUSIVE) {
    if (pair.every((scope) => scopes.includes(scope)))
      errors.push(invalidValue(path, scopes, "conflicting scopes"));
  }
  return errors;
}

function validateList(list: Record<string, string> | undefined, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(list ?? {})) {
    const path = at.key(name);
    errors.push(...isQualifiedName(name).map((text) => invalidValue(path, name, text)));
    if (!name.includes("/") && !COUNTED.has(name) && !AMOUNTS.has(name) && !isHugePages(name)) {
      errors.push(invalidValue(path, name, "must be a standard resource for quota"));
    }
    const quantity = Quantity.parse(value);
    if (quantity.sign() < 0) errors.push(invalidValue(path, value, "must be greater than or equal to 0"));
    const counted = COUNTED.has(name) || name.startsWith("count/");
    if (counted && !quantity.isWhole()) errors.push(invalidValue(path, value, "must be an integer"));
  }
  return errors;
}

function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-") || name.startsWith("requests.hugepages-");
}
