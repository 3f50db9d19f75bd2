/** Deletes bootstrap tokens as they expire (upstream: pkg/controller/bootstrap). */
import { Secret } from "../../api/core/secret.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { defineController, input } from "../runtime/controller.ts";
import { expiryOf, TOKENS } from "./token.ts";

export const tokenCleanerController = defineController<{ tokens: Secret }>({
  name: "token-cleaner-controller",
  account: "token-cleaner",
  queue: "token_cleaner",
  workers: 10,
  inputs: { tokens: input(Secret, ({ key, now }) => (now ? [key] : []), TOKENS) },
  start:
    ({ client, clock }, { tokens }) =>
    async (key) => {
      const { namespace, name } = splitKey(key);
      const secret = tokens.get(namespace, name);
      const expires = secret && expiryOf(secret);
      if (!secret || expires === undefined) return undefined;
      const left = expires - clock.now();
      if (left > 0) return { after: left };
      const { uid } = secret.metadata;
      try {
        await client.resource(Secret, namespace).delete(name, { preconditions: { uid } });
      } catch (error) {
        if (!isReason(error, "NotFound", "Conflict")) throw error;
      }
      return undefined;
    },
});
