import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1035Label } from "../../machinery/names/names.ts";
import { validateWebhookClient } from "../core/webhook-client.ts";
import type { CustomResourceConversion } from "../schema/apiextensions.v1.generated.ts";
import { REVIEW_VERSIONS, type SchemaRules } from "./schema-rules.ts";

const STRATEGIES = ["None", "Webhook"];

/** The fields below `webhook` go by upstream's internal names in messages. */
export function validateConversion(
  conversion: CustomResourceConversion | undefined,
  rules: SchemaRules,
  path: FieldPath,
): FieldError[] {
  if (!conversion) return [];
  const errors: FieldError[] = [];
  const { strategy, webhook } = conversion;
  const client = path.child("webhookClientConfig");
  const versions = path.child("conversionReviewVersions");
  if (!strategy) errors.push(required(path.child("strategy")));
  else if (!STRATEGIES.includes(strategy)) {
    errors.push(notSupported(path.child("strategy"), strategy, STRATEGIES));
  }
  if (strategy === "Webhook") {
    if (!webhook?.clientConfig) errors.push(required(client, "required when strategy is set to Webhook"));
    else errors.push(...validateWebhookClient(webhook.clientConfig, client));
    errors.push(...validateReviewVersions(webhook?.conversionReviewVersions ?? [], rules, versions));
    return errors;
  }
  const why = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig) errors.push(forbiddenField(client, why));
  if (webhook?.conversionReviewVersions?.length) errors.push(forbiddenField(versions, why));
  return errors;
}

function validateReviewVersions(
  versions: readonly string[],
  rules: SchemaRules,
  path: FieldPath,
): FieldError[] {
  if (versions.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) {
      errors.push(invalidValue(path.index(i), version, "duplicate version"));
      continue;
    }
    for (const text of isDNS1035Label(version)) errors.push(invalidValue(path.index(i), version, text));
  }
  if (rules.reviewVersions && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const why = `must include at least one of ${REVIEW_VERSIONS.join(", ")}`;
    errors.push(invalidValue(path, versions, why));
  }
  return errors;
}
