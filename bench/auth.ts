/** Claims: the first start's PKI takes under 150 ms, a bearer token under 2 µs a request, an RBAC decision under 1 µs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceAccount } from "../src/api/core/service-account.ts";
import type { Attributes, User } from "../src/api/user.ts";
import { reconcileBootstrapPolicy } from "../src/auth/authorization/bootstrap-policy/reconcile.ts";
import { openAuth, RBAC_KINDS } from "../src/auth/open-auth.ts";
import { MemoryServer } from "../src/auth/testing/memory-server.ts";
import { systemClock } from "../src/base/clock.ts";
import { ensurePKI } from "../src/cluster/pki/ensure-pki.ts";

const ROUNDS = 500_000;

function measure(name: string, run: () => unknown): void {
  for (let i = 0; i < ROUNDS / 10; i++) run();
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) run();
  console.log(`${name}: ${(((performance.now() - start) / ROUNDS) * 1000).toFixed(3)} µs`);
}

const folder = await mkdtemp(join(tmpdir(), "bench-auth-"));
const started = performance.now();
const pki = await ensurePKI({
  directory: join(folder, "pki"),
  now: new Date(),
  hostname: "bench",
  dnsDomain: "cluster.local",
  serviceAddresses: ["10.96.0.1"],
});
console.log(`first start's PKI: ${(performance.now() - started).toFixed(1)} ms`);
await rm(folder, { recursive: true });

const server = new MemoryServer();
const reconciling = performance.now();
await reconcileBootstrapPolicy(server, RBAC_KINDS);
console.log(`default roles: ${(performance.now() - reconciling).toFixed(1)} ms`);

const auth = openAuth({
  reader: server.reader,
  clock: systemClock,
  uuid: () => crypto.randomUUID(),
  clientCA: pki.ca.certificate,
  frontProxyCA: pki.frontProxyCA.certificate,
  serviceAccountKey: pki.serviceAccount.privateKey,
});
const account = { namespace: "kube-system", name: "deployment-controller", uid: "uid" };
server.put(ServiceAccount, { apiVersion: "v1", kind: "ServiceAccount", metadata: account });
const { token } = await auth.tokens.issue({ ...account, audiences: auth.tokens.audiences, seconds: 3600 });
// As a parser hands it over: a new string for every request.
const bytes = Buffer.from(`Bearer ${token}`);
const headers = () => ({});
const login = () =>
  auth.authenticator.authenticate({ path: "/api", headers, authorization: bytes.toString("latin1") });
measure("bearer authentication", login);
const asked: Attributes = {
  user: (await login()) as User,
  verb: "update",
  namespace: "default",
  group: "apps",
  version: "v1",
  resource: "deployments",
  subresource: "",
  name: "web",
  path: "",
  isResource: true,
};
measure("authorization, allowed", () => auth.authorizer.authorize(asked));
measure("authorization, refused", () => auth.authorizer.authorize({ ...asked, verb: "delete" }));
