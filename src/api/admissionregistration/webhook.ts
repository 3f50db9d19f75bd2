/** What validating and mutating webhooks share: their defaults and rules. */
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { isDNS1035Label, isFullyQualifiedName } from "../../machinery/names/names.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { defaultWebhookClient, validateWebhookClient } from "../core/webhook-client.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../schema/admissionregistration.v1.generated.ts";
import { validateMatchConditions } from "./expressions.ts";
import { defaultRules, validateRule } from "./rules.ts";

/** The other kind of webhook lacks nothing but `reinvocationPolicy`. */
export type Webhook = ValidatingWebhook | MutatingWebhook;

export const FAILURE_POLICIES = ["Fail", "Ignore"];
export const MATCH_POLICIES = ["Equivalent", "Exact"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun", "Some", "Unknown"];
const NO_SIDE_EFFECTS = ["None", "NoneOnDryRun"];
/** Of AdmissionReview, in the order in which messages name them. */
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const DEFAULT_TIMEOUT = 10;
const TIMEOUT_MAX = 30;

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= DEFAULT_TIMEOUT;
  defaultWebhookClient(webhook.clientConfig);
  defaultRules(webhook.rules);
}

/** What is let pass of objects that were stored before it was asked for. */
interface Leniency {
  sideEffects: boolean;
  reviewVersions: boolean;
  sameNames: boolean;
  selectorValues: boolean;
  matchConditions: boolean;
}

const STRICT: Leniency = {
  sideEffects: false,
  reviewVersions: false,
  sameNames: false,
  selectorValues: false,
  matchConditions: false,
};

/** `old` is absent on create. */
export function validateWebhooks(
  webhooks: readonly Webhook[] = [],
  old?: { webhooks?: readonly Webhook[] },
): FieldError[] {
  const leniency = old ? leniencyOf(webhooks, old.webhooks ?? []) : STRICT;
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, webhook] of webhooks.entries()) {
    const at = FieldPath.root("webhooks").index(i);
    validateWebhook(webhook, at, leniency, errors);
    validateReviewVersions(webhook, at.child("admissionReviewVersions"), leniency, errors);
    const { name = "" } = webhook;
    if (leniency.sameNames || name === "") continue;
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
  }
  return errors;
}

function leniencyOf(now: readonly Webhook[], old: readonly Webhook[]): Leniency {
  const known = (versions: readonly string[] = []) =>
    versions.length === 0 || versions.some((version) => REVIEW_VERSIONS.includes(version));
  return {
    sideEffects: old.some(({ sideEffects }) => !NO_SIDE_EFFECTS.includes(sideEffects)),
    reviewVersions: old.some(({ admissionReviewVersions }) => !known(admissionReviewVersions)),
    sameNames: new Set(old.map(({ name }) => name)).size < old.length,
    selectorValues: old.some(
      ({ namespaceSelector, objectSelector }) =>
        validateLabelSelector(namespaceSelector, FieldPath.root()).length > 0 ||
        validateLabelSelector(objectSelector, FieldPath.root()).length > 0,
    ),
    matchConditions:
      now.length === old.length &&
      old.every(({ matchConditions }, i) => semanticEqual(now[i]!.matchConditions, matchConditions)),
  };
}

function validateWebhook(webhook: Webhook, path: FieldPath, leniency: Leniency, errors: FieldError[]): void {
  const { failurePolicy, matchPolicy, sideEffects, timeoutSeconds } = webhook;
  errors.push(...isFullyQualifiedName(path.child("name"), webhook.name ?? ""));
  for (const [i, rule] of (webhook.rules ?? []).entries()) {
    validateRule(rule, path.child("rules").index(i), errors);
  }
  if (failurePolicy !== undefined && !FAILURE_POLICIES.includes(failurePolicy)) {
    errors.push(notSupported(path.child("failurePolicy"), failurePolicy, FAILURE_POLICIES));
  }
  if (matchPolicy !== undefined && !MATCH_POLICIES.includes(matchPolicy)) {
    errors.push(notSupported(path.child("matchPolicy"), matchPolicy, MATCH_POLICIES));
  }
  const allowed = leniency.sideEffects ? SIDE_EFFECTS : NO_SIDE_EFFECTS;
  if (sideEffects === undefined) {
    errors.push(required(path.child("sideEffects"), `must specify one of ${allowed.join(", ")}`));
  } else if (!allowed.includes(sideEffects)) {
    errors.push(notSupported(path.child("sideEffects"), sideEffects, allowed));
  }
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > TIMEOUT_MAX)) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.push(invalidValue(path.child("timeoutSeconds"), timeoutSeconds, why));
  }
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    errors.push(...validateLabelSelector(webhook[field], path.child(field), leniency.selectorValues));
  }
  if ("reinvocationPolicy" in webhook) {
    errors.push(...validateReinvocationPolicy(webhook.reinvocationPolicy, path));
  }
  errors.push(...validateWebhookClient(webhook.clientConfig ?? {}, path.child("clientConfig")));
  if (!leniency.matchConditions) {
    errors.push(...validateMatchConditions(webhook.matchConditions, path.child("matchConditions")));
  }
}

const REINVOCATION_POLICIES = ["IfNeeded", "Never"];

export function validateReinvocationPolicy(policy: string | undefined, path: FieldPath): FieldError[] {
  return policy === undefined || REINVOCATION_POLICIES.includes(policy)
    ? []
    : [notSupported(path.child("reinvocationPolicy"), policy, REINVOCATION_POLICIES)];
}

function validateReviewVersions(
  { admissionReviewVersions: versions = [] }: Webhook,
  path: FieldPath,
  leniency: Leniency,
  errors: FieldError[],
): void {
  const accepted = REVIEW_VERSIONS.join(", ");
  if (versions.length === 0) {
    errors.push(required(path, `must specify one of ${accepted}`));
    return;
  }
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) {
      errors.push(invalidValue(path.index(i), version, "duplicate version"));
      continue;
    }
    for (const text of isDNS1035Label(version)) errors.push(invalidValue(path.index(i), version, text));
  }
  if (!leniency.reviewVersions && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.push(invalidValue(path, versions, `must include at least one of ${accepted}`));
  }
}
