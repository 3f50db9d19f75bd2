/** What the three access reviews share: their spec, its rules, and the question they put to the authorizer. */
import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import type { ObjectMeta } from "../object.ts";
import type { Attributes, Authorizer, User } from "../user.ts";

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

interface Selector {
  rawSelector?: string;
  requirements?: Requirement[];
}

export interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  fieldSelector?: Selector;
  labelSelector?: Selector;
}

export interface AccessReviewSpec {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: { path?: string; verb?: string };
}

export interface SubjectAccessReviewSpec extends AccessReviewSpec {
  user?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

export interface SubjectAccessReviewStatus {
  allowed: boolean;
  denied?: boolean;
  reason?: string;
  evaluationError?: string;
}

const SPEC = FieldPath.root("spec");

export function validateAttributes({
  resourceAttributes,
  nonResourceAttributes,
}: AccessReviewSpec): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const path = SPEC.child("nonResourceAttributes");
    return [
      invalidValue(path, nonResourceAttributes, "cannot be specified in combination with resourceAttributes"),
    ];
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    return [invalidValue(SPEC.child("resourceAttributes"), undefined, detail)];
  }
  const { fieldSelector, labelSelector } = resourceAttributes ?? {};
  const at = SPEC.child("resourceAttributes");
  return [
    ...validateSelector(at.child("fieldSelector"), fieldSelector),
    ...validateSelector(at.child("labelSelector"), labelSelector),
  ];
}

export function validateSubject({ user = "", groups = [] }: SubjectAccessReviewSpec): FieldError[] {
  if (user !== "" || groups.length > 0) return [];
  return [invalidValue(SPEC.child("user"), user, "at least one of user or group must be specified")];
}

export function validateMetadata(metadata: ObjectMeta, allowed: readonly (keyof ObjectMeta)[]): FieldError[] {
  const { managedFields: _, creationTimestamp: __, ...rest } = metadata;
  const given = (Object.keys(rest) as (keyof typeof rest)[]).filter(
    (key) => rest[key] !== undefined && rest[key] !== "",
  );
  if (given.every((key) => allowed.includes(key))) return [];
  const detail = allowed.length > 0 ? "must be empty except for namespace" : "must be empty";
  return [invalidValue(FieldPath.root("metadata"), rest, detail)];
}

function validateSelector(path: FieldPath, selector: Selector | undefined): FieldError[] {
  if (selector?.rawSelector && selector.requirements?.length) {
    const detail = "may not specified at the same time as requirements";
    return [invalidValue(path.child("rawSelector"), selector.rawSelector, detail)];
  }
  return [];
}

/** Asks whether `user` may do what the spec describes. */
export async function reviewAccess(
  spec: AccessReviewSpec,
  user: User,
  authorizer: Authorizer,
): Promise<SubjectAccessReviewStatus> {
  const { decision, reason, error } = await authorizer.authorize(attributesOf(spec, user));
  const status: SubjectAccessReviewStatus = { allowed: decision === "allow" };
  if (decision === "deny") status.denied = true;
  if (reason !== "") status.reason = reason;
  if (error) status.evaluationError = error;
  return status;
}

function attributesOf(
  { resourceAttributes, nonResourceAttributes }: AccessReviewSpec,
  user: User,
): Attributes {
  if (!resourceAttributes) {
    const { path = "", verb = "" } = nonResourceAttributes ?? {};
    const none = { namespace: "", group: "", version: "", resource: "", subresource: "", name: "" };
    return { ...none, user, verb, path, isResource: false };
  }
  const {
    namespace = "",
    verb = "",
    group = "",
    version = "",
    resource = "",
    subresource = "",
    name = "",
  } = resourceAttributes;
  const { fieldSelector, labelSelector } = resourceAttributes;
  return {
    user,
    verb,
    namespace,
    group,
    version,
    resource,
    subresource,
    name,
    path: "",
    isResource: true,
    fieldSelector: selectorText(fieldSelector),
    labelSelector: selectorText(labelSelector),
  };
}

/** Requirements as a selector's text. One that is not understood is left out: the question gets wider, not narrower. */
function selectorText(selector: Selector | undefined): string | undefined {
  if (selector?.rawSelector) return selector.rawSelector;
  const terms = (selector?.requirements ?? []).flatMap(({ key, operator, values = [] }) => {
    if (operator === "Exists") return [key];
    if (operator === "DoesNotExist") return [`!${key}`];
    if (operator === "In")
      return [values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(",")})`];
    if (operator === "NotIn")
      return [values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(",")})`];
    return [];
  });
  return terms.length > 0 ? terms.join(",") : undefined;
}

export function userOf({ user = "", uid, groups = [], extra }: SubjectAccessReviewSpec): User {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}
