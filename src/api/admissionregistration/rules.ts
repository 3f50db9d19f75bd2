/** Which requests a webhook or policy is about. */
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isPathSegmentName } from "../../machinery/names/names.ts";
import type {
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../schema/admissionregistration.v1.generated.ts";

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES = ["*", "Cluster", "Namespaced"];

export function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}

/** Says that nothing may stand beside `*`. */
function onlyWildcard(
  values: readonly string[],
  path: FieldPath,
  others: string,
  errors: FieldError[],
): void {
  if (values.length > 1 && values.includes("*")) {
    errors.push(invalidValue(path, values, `if '*' is present, must not specify other ${others}`));
  }
}

export function validateRule(rule: RuleWithOperations, path: FieldPath, errors: FieldError[]): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const at = path.child("operations");
  if (operations.length === 0) errors.push(required(at));
  onlyWildcard(operations, at, "operations", errors);
  for (const [i, operation] of operations.entries()) {
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(at.index(i), operation, OPERATIONS));
  }
  if (apiGroups.length === 0) errors.push(required(path.child("apiGroups")));
  onlyWildcard(apiGroups, path.child("apiGroups"), "API groups", errors);
  if (apiVersions.length === 0) errors.push(required(path.child("apiVersions")));
  onlyWildcard(apiVersions, path.child("apiVersions"), "API versions", errors);
  for (const [i, version] of apiVersions.entries()) {
    if (version === "") errors.push(required(path.child("apiVersions").index(i)));
  }
  validateResources(resources, path.child("resources"), errors);
  if (scope !== undefined && !SCOPES.includes(scope)) {
    errors.push(notSupported(path.child("scope"), scope, SCOPES));
  }
}

function validateResources(resources: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(required(path));
  const allSubresourcesOf = new Set<string>();
  const everywhere = new Set<string>();
  let lastIsPlain = false;
  for (const [i, resource] of resources.entries()) {
    if (resource === "") {
      errors.push(required(path.index(i)));
      continue;
    }
    const slash = resource.indexOf("/");
    if (slash < 0) {
      // Upstream looks at the last one only, so that ["pods", "*"] is taken and ["*", "pods"] is not.
      lastIsPlain = resource !== "*";
      continue;
    }
    const parent = resource.slice(0, slash);
    const sub = resource.slice(slash + 1);
    if (allSubresourcesOf.has(parent)) {
      const why = `if '${parent}/*' is present, must not specify ${resource}`;
      errors.push(invalidValue(path.index(i), resource, why));
    }
    if (everywhere.has(sub)) {
      const why = `if '*/${sub}' is present, must not specify ${resource}`;
      errors.push(invalidValue(path.index(i), resource, why));
    }
    if (sub === "*") allSubresourcesOf.add(parent);
    if (parent === "*") everywhere.add(sub);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (lastIsPlain && resources.includes("*")) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalidValue(path, resources, why));
  }
}

export function validateNamedRule(
  rule: NamedRuleWithOperations,
  path: FieldPath,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  for (const [i, name] of (rule.resourceNames ?? []).entries()) {
    const at = path.child("resourceNames").index(i);
    for (const text of isPathSegmentName(name)) errors.push(invalidValue(at, name, text));
    if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
  }
  validateRule(rule, path, errors);
}
