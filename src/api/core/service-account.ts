import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { defineResource, type Resource } from "../resource.ts";
import { anyKind } from "./any-kind.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { Node } from "./node.ts";
import { Pod } from "./pods.ts";
import { Secret } from "./secret.ts";
import { tokenSubresource } from "./token-request.ts";

export interface ServiceAccount extends KubeObject {
  secrets?: { name?: string }[];
  imagePullSecrets?: { name?: string }[];
  automountServiceAccountToken?: boolean;
}

export const ServiceAccount: Resource<ServiceAccount> = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  scope: "Namespaced",
  shortNames: ["sa"],
  definition: "core.v1.ServiceAccount",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  subresources: {
    token: tokenSubresource(() => ({
      account: anyKind(ServiceAccount),
      pod: anyKind(Pod),
      secret: anyKind(Secret),
      node: anyKind(Node),
    })),
  },
  columns: [
    nameColumn,
    { name: "Secrets", type: "string", cell: ({ secrets }) => secrets?.length ?? 0 },
    ageColumn,
  ],
});

/** Secrets are in the account's own namespace: only their names count. */
function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name ? { name } : {}));
}
