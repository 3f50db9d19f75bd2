/** What a machine that joins reads before it trusts anybody: cluster-info, signed by its token. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flattenedVerify } from "jose";
import { TokenReview } from "../../src/api/authentication/token-review.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type ClusterConfig, installJoining, JOINING } from "../../src/main/join/cluster-objects.ts";
import { discover } from "../../src/main/join/discover.ts";
import { caHash } from "../../src/main/join/run-token.ts";
import { type Cluster, ConfigMap, Secret, startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const LIMIT = { timeout: 240_000 };
const CONFIG: ClusterConfig = { clusterCIDRs: [], serviceCIDRs: [], dnsDomain: "cluster.local" };
const [ID, SECRET] = ["abcdef", "0123456789abcdef"];

/** As `kybern token create` and `kubeadm token create` make them. */
function createToken({ client }: Cluster): Promise<Secret> {
  return client.resource(Secret, "kube-system").create({
    metadata: { name: `bootstrap-token-${ID}` },
    type: "bootstrap.kubernetes.io/token",
    stringData: {
      "token-id": ID,
      "token-secret": SECRET,
      "usage-bootstrap-authentication": "true",
      "usage-bootstrap-signing": "true",
      "auth-extra-groups": JOINING,
      expiration: new Date(Date.now() + 3_600_000).toISOString(),
    },
  });
}

/** cluster-info once it is signed. */
async function signedInfo({ client }: Cluster, server: string): Promise<Record<string, string>> {
  const maps = client.resource(ConfigMap, "kube-public");
  const map = await until(maps, "cluster-info", (object) => {
    const { kubeconfig = "", [`jws-kubeconfig-${ID}`]: signature } = object?.data ?? {};
    return signature !== undefined && kubeconfig.includes(server);
  });
  return map!.data!;
}

/** As any JWS library tells. */
async function verified({ kubeconfig = "", ...data }: Record<string, string>): Promise<boolean> {
  const [header = "", payload, signature = ""] = (data[`jws-kubeconfig-${ID}`] ?? "").split(".");
  assert.equal(payload, "");
  const whole = { protected: header, payload: Buffer.from(kubeconfig).toString("base64url"), signature };
  const { protectedHeader } = await flattenedVerify(whole, Buffer.from(SECRET), { algorithms: ["HS256"] });
  return protectedHeader?.kid === ID;
}

test("who knows a token trusts cluster-info by its signature, and is known by the token", LIMIT, async () => {
  await using cluster = await startCluster({ listen: true });
  const [, encoded = ""] = /certificate-authority-data: "?([A-Za-z0-9+/=]+)/.exec(cluster.kubeconfig) ?? [];
  const ca = Buffer.from(encoded, "base64").toString();
  assert.match(ca, /^-----BEGIN CERTIFICATE-----/);
  await installJoining(cluster.client, { server: cluster.url, ca, config: CONFIG });
  await createToken(cluster);
  assert.equal(await verified(await signedInfo(cluster, cluster.url)), true);

  const asked = { server: cluster.url, token: `${ID}.${SECRET}`, caHashes: [caHash(ca)] };
  assert.equal(await discover(asked, systemClock), ca);
  const other = { ...asked, token: `${ID}.fedcba9876543210` };
  await assert.rejects(discover(other, systemClock), /did not prove that it knows the token abcdef/);

  const review = await cluster.client
    .resource(TokenReview)
    .create({ metadata: {}, spec: { token: asked.token } });
  assert.equal(review.status?.user?.username, `system:bootstrap:${ID}`);
  assert.ok(review.status?.user?.groups?.includes(JOINING));
});

test(
  "cluster-info is signed anew when what it says changes, and keeps signatures when it is installed again",
  LIMIT,
  async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    const maps = client.resource(ConfigMap, "kube-public");
    await createToken(cluster);
    const first = { server: "https://first:6443", ca: "ca", config: CONFIG };
    await installJoining(client, first);
    const before = await signedInfo(cluster, first.server);
    assert.equal(await verified(before), true);
    await installJoining(client, first);
    assert.deepEqual((await maps.get("cluster-info")).data, before);

    await installJoining(client, { ...first, server: "https://second:6443" });
    const after = await until(
      maps,
      "cluster-info",
      (object) =>
        (object?.data?.kubeconfig ?? "").includes("second") &&
        object?.data?.[`jws-kubeconfig-${ID}`] !== before[`jws-kubeconfig-${ID}`],
    );
    assert.equal(await verified(after!.data!), true);
  },
);
