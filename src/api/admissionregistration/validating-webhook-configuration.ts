import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { ValidatingWebhookConfiguration as ValidatingWebhookConfigurationType } from "../schema/admissionregistration.v1.generated.ts";
import { defaultWebhook, validateWebhooks } from "./webhook.ts";

export type ValidatingWebhookConfiguration = ValidatingWebhookConfigurationType;

/** Whom the API server asks whether a request may pass. */
export const ValidatingWebhookConfiguration = defineResource<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "admissionregistration.v1.ValidatingWebhookConfiguration",
  validateName: nameIsDNSSubdomain,
  defaults({ webhooks = [] }) {
    for (const webhook of webhooks) defaultWebhook(webhook);
  },
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  validateUpdate: ({ webhooks }, old) => validateWebhooks(webhooks, old),
  validatesAll: true,
  generationOf: ({ webhooks }) => webhooks,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "Webhooks", type: "integer", cell: ({ webhooks }) => webhooks?.length ?? 0 },
    ageColumn,
  ],
});
