import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { ServiceAccount } from "../api/core/service-account.ts";
import type { User } from "../api/user.ts";
import { VirtualClock } from "../base/clock.ts";
import { reconcileBootstrapPolicy } from "./authorization/bootstrap-policy/reconcile.ts";
import { openAuth, RBAC_KINDS } from "./open-auth.ts";
import { MemoryServer } from "./testing/memory-server.ts";

test("a controller's token opens what its default role lets, and nothing else", async () => {
  const server = new MemoryServer();
  await reconcileBootstrapPolicy(server, RBAC_KINDS);
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const auth = openAuth({
    reader: server.reader,
    clock: new VirtualClock(),
    uuid: () => "id",
    clientCA: "",
    frontProxyCA: "",
    serviceAccountKey: key.export({ format: "pem", type: "pkcs8" }).toString(),
  });
  const [namespace, name, uid] = ["kube-system", "deployment-controller", "u"];
  server.put(ServiceAccount, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { namespace, name, uid },
  });
  const { token } = await auth.tokens.issue({
    namespace,
    name,
    uid,
    audiences: auth.tokens.audiences,
    seconds: 600,
  });
  const authorization = `Bearer ${token}`;
  const user = (await auth.authenticator.authenticate({
    path: "/",
    headers: () => ({}),
    authorization,
  })) as User;
  const update = {
    user,
    verb: "update",
    namespace: "default",
    group: "apps",
    version: "v1",
    resource: "deployments",
  };
  const rest = { subresource: "", name: "web", path: "", isResource: true };
  assert.equal((await auth.authorizer.authorize({ ...update, ...rest })).decision, "allow");
  assert.equal((await auth.authorizer.authorize({ ...update, ...rest, verb: "delete" })).decision, "none");
  const rules = auth.authorizer.rulesFor?.(user, "default");
  assert.equal(rules?.incomplete, false);
  assert.ok(rules?.resourceRules.some(({ resources }) => resources.includes("selfsubjectaccessreviews")));
  auth.close();
});
