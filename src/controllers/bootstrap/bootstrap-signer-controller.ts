/**
 * Signs the ConfigMap cluster-info with every bootstrap token that may, so that a new node that knows a token can trust
 * what it reads before it knows the cluster's CA (upstream: pkg/controller/bootstrap).
 */
import { ConfigMap } from "../../api/core/config-map.ts";
import { Secret } from "../../api/core/secret.ts";
import { isReason } from "../../client/status.ts";
import { defineController, input } from "../runtime/controller.ts";
import { expiryOf, signedData, signingToken, TOKENS } from "./token.ts";

const NAMESPACE = "kube-public";
const NAME = "cluster-info";

export const bootstrapSignerController = defineController<{ maps: ConfigMap; tokens: Secret }>({
  name: "bootstrap-signer-controller",
  account: "bootstrap-signer",
  queue: "bootstrap_signer_queue",
  inputs: {
    maps: input(ConfigMap, () => [NAME], { namespace: NAMESPACE, fieldSelector: `metadata.name=${NAME}` }),
    tokens: input(Secret, () => [NAME], TOKENS),
  },
  start:
    ({ client, clock }, { maps, tokens }) =>
    async () => {
      const map = maps.get(NAMESPACE, NAME);
      if (!map) return undefined;
      const now = clock.now();
      const secrets = tokens.list();
      const data = signedData(
        map.data,
        secrets.flatMap((secret) => signingToken(secret, now) ?? []),
      );
      try {
        if (data) await client.resource(ConfigMap, NAMESPACE).update({ ...map, data });
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
      const expiries = secrets.flatMap((secret) => expiryOf(secret) ?? []).filter((at) => at > now);
      return expiries.length > 0 ? { after: Math.min(...expiries) - now } : undefined;
    },
});
