/** Keeps a `default` ServiceAccount in every namespace that is not on its way out: pods that name none run as it. */
import { Namespace } from "../api/core/namespace.ts";
import { ServiceAccount } from "../api/core/service-account.ts";
import { isNamespaceTerminating, isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

const NAME = "default";

export const serviceAccountController = defineController<{ namespaces: Namespace; accounts: ServiceAccount }>(
  {
    name: "serviceaccount-controller",
    account: "service-account-controller",
    workers: 5,
    inputs: {
      namespaces: input(Namespace, ({ now }) => (now ? [now.metadata.name!] : [])),
      accounts: input(ServiceAccount, ({ now, was }) => (was && !now ? [was.metadata.namespace!] : []), {
        fieldSelector: `metadata.name=${NAME}`,
      }),
    },
    start:
      ({ client }, { namespaces, accounts }) =>
      async (name) => {
        const namespace = namespaces.get("", name);
        if (namespace?.status?.phase !== "Active" || accounts.get(name, NAME)) return undefined;
        try {
          await client.resource(ServiceAccount, name).create({ metadata: { name: NAME, namespace: name } });
        } catch (error) {
          // Another was faster, or the namespace went meanwhile.
          if (!isReason(error, "AlreadyExists", "NotFound") && !isNamespaceTerminating(error)) throw error;
        }
        return undefined;
      },
  },
);
