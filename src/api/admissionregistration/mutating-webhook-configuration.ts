import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { MutatingWebhookConfiguration as MutatingWebhookConfigurationType } from "../schema/admissionregistration.v1.generated.ts";
import { defaultWebhook, validateWebhooks } from "./webhook.ts";

export type MutatingWebhookConfiguration = MutatingWebhookConfigurationType;

/** Whom the API server lets change the objects of a request. */
export const MutatingWebhookConfiguration = defineResource<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "admissionregistration.v1.MutatingWebhookConfiguration",
  validateName: nameIsDNSSubdomain,
  defaults({ webhooks = [] }) {
    for (const webhook of webhooks) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
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
