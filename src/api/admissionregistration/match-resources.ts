/** What policies and their bindings share: what they match and where their parameters come from. */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  nameIsDNSSubdomain,
} from "../../machinery/names/names.ts";
import { selectorAsStruct } from "../../machinery/selectors/selector-as-struct.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import type { MatchResources, ParamKind, ParamRef } from "../schema/admissionregistration.v1.generated.ts";
import { defaultRules, validateNamedRule } from "./rules.ts";
import { MATCH_POLICIES } from "./webhook.ts";

export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

export function validateMatchResources(match: MatchResources | undefined, path: FieldPath): FieldError[] {
  if (!match) return [];
  const errors: FieldError[] = [];
  const { matchPolicy } = match;
  if (matchPolicy === undefined) errors.push(required(path.child("matchPolicy")));
  else if (!MATCH_POLICIES.includes(matchPolicy)) {
    errors.push(notSupported(path.child("matchPolicy"), matchPolicy, MATCH_POLICIES));
  }
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    const at = path.child(field);
    if (match[field]) errors.push(...validateLabelSelector(match[field], at));
    else errors.push(required(at));
  }
  for (const field of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [i, rule] of (match[field] ?? []).entries()) {
      validateNamedRule(rule, path.child(field).index(i), errors);
    }
  }
  return errors;
}

/** Of a policy, whose match must name at least one resource. */
export function validateMatchConstraints(match: MatchResources | undefined, path: FieldPath): FieldError[] {
  if (!match) return [required(path)];
  const errors = validateMatchResources(match, path);
  if (!match.resourceRules?.length) errors.push(required(path.child("resourceRules")));
  return errors;
}

const MUTATING_OPERATIONS = ["*", "CONNECT", "CREATE", "UPDATE"];

/** Of what is deleted nothing can be changed. */
export function validateMutatingOperations(match: MatchResources | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child("resourceRules", "operations");
  for (const { operations = [] } of match?.resourceRules ?? []) {
    for (const operation of operations) {
      if (!MUTATING_OPERATIONS.includes(operation)) {
        errors.push(notSupported(at, operation, MUTATING_OPERATIONS));
      }
    }
  }
  return errors;
}

export function validateParamKind(param: ParamKind | undefined, path: FieldPath): FieldError[] {
  if (!param) return [];
  const errors: FieldError[] = [];
  const { apiVersion = "", kind = "" } = param;
  validateApiVersion(apiVersion, path.child("apiVersion"), errors);
  if (kind === "") errors.push(required(path.child("kind")));
  else {
    const wrong = isDNS1035Label(kind.toLowerCase());
    if (wrong.length > 0) {
      const why = `may have mixed case, but should otherwise match: ${wrong.join(",")}`;
      errors.push(invalidValue(path.child("kind"), kind, why));
    }
  }
  return errors;
}

function validateApiVersion(apiVersion: string, path: FieldPath, errors: FieldError[]): void {
  if (apiVersion === "") {
    errors.push(required(path));
    return;
  }
  const parts = apiVersion === "/" ? [""] : apiVersion.split("/");
  if (parts.length > 2) {
    errors.push(invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    return;
  }
  const [group, version] = parts.length === 2 ? [parts[0]!, parts[1]!] : ["", parts[0]!];
  if (group !== "") {
    const wrong = isDNS1123Subdomain(group);
    if (wrong.length > 0) errors.push(invalidValue(path, group, wrong.join(",")));
  }
  if (version === "") errors.push(invalidValue(path, apiVersion, "version must be specified"));
  else {
    const wrong = isDNS1035Label(version);
    if (wrong.length > 0) errors.push(invalidValue(path, version, wrong.join(",")));
  }
}

export function validatePolicyName(name: string | undefined, path: FieldPath): FieldError[] {
  if (!name) return [required(path)];
  return nameIsDNSSubdomain(name, false).map((text) => invalidValue(path, name, text));
}

const NOT_FOUND_ACTIONS = ["Deny", "Allow"];

export function validateParamRef(ref: ParamRef | undefined, path: FieldPath): FieldError[] {
  if (!ref) return [];
  const errors: FieldError[] = [];
  const { name = "", selector, parameterNotFoundAction: action = "" } = ref;
  const exclusive = "name and selector are mutually exclusive";
  if (name !== "") {
    for (const text of isPathSegmentName(name)) errors.push(invalidValue(path.child("name"), name, text));
    if (selector) errors.push(forbiddenField(path.child("name"), exclusive));
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, path.child("selector")));
    if (name !== "") errors.push(forbiddenField(path.child("selector"), exclusive));
  }
  if (name === "" && !selector) errors.push(required(path, "one of name or selector must be specified"));
  if (action === "") errors.push(required(path.child("parameterNotFoundAction")));
  else if (!NOT_FOUND_ACTIONS.includes(action)) {
    errors.push(notSupported(path.child("parameterNotFoundAction"), action, NOT_FOUND_ACTIONS));
  }
  return errors;
}

export function paramKindCell(param: ParamKind | undefined): string {
  return param ? `${param.apiVersion ?? ""}/${param.kind ?? ""}` : "<unset>";
}

/** The namespace of a parameter without one cannot be told from here, as its kind may have none. */
export function paramRefCell(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || "*"}/${ref.name}`;
  return ref?.selector ? selectorAsStruct(ref.selector) : "<unset>";
}
