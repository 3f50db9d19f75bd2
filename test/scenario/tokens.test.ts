import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenReview } from "../../src/api/authentication/token-review.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { formatTime } from "../../src/machinery/time/time.ts";
import { ConfigMap, Secret, ServiceAccount, startCluster } from "../../src/testing/index.ts";

const TYPE = "kubernetes.io/service-account-token";
const NAME = "kubernetes.io/service-account.name";

const decoded = (base64: string | undefined): string => Buffer.from(base64 ?? "", "base64").toString();

test("a Secret of a service account gets a token that the server takes, and goes with the account", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { client } = cluster;
  const accounts = client.resource(ServiceAccount, "default");
  const secrets = client.resource(Secret, "default");
  const account = await accounts.create({ metadata: { name: "robot" } });
  await secrets.create({ metadata: { name: "s", annotations: { [NAME]: "robot" } }, type: TYPE });
  await cluster.pass(1_000);
  const { data, metadata } = await secrets.get("s");
  assert.equal(decoded(data?.namespace), "default");
  assert.match(decoded(data?.["ca.crt"]), /^-----BEGIN CERTIFICATE-----/);
  assert.equal(metadata.annotations?.["kubernetes.io/service-account.uid"], account.metadata.uid);
  const review = await client
    .resource(TokenReview)
    .create({ metadata: {}, spec: { token: decoded(data?.token) } });
  assert.equal(review.status?.authenticated, true);
  assert.equal(review.status?.user?.username, "system:serviceaccount:default:robot");

  await accounts.delete("robot");
  await cluster.pass(1_000);
  await assert.rejects(secrets.get("s"), { reason: "NotFound" });
  await secrets.create({ metadata: { name: "early", annotations: { [NAME]: "nobody" } }, type: TYPE });
  await cluster.pass(1_000);
  await assert.rejects(secrets.get("early"), { reason: "NotFound" });
});

test("bootstrap tokens sign cluster-info as long as they hold, and are deleted when they expire", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { client } = cluster;
  const maps = client.resource(ConfigMap, "kube-public");
  const tokens = client.resource(Secret, "kube-system");
  await maps.create({ metadata: { name: "cluster-info" }, data: { kubeconfig: "how to get here" } });
  const token = (id: string, seconds?: number) =>
    tokens.create({
      metadata: { name: `bootstrap-token-${id}` },
      type: "bootstrap.kubernetes.io/token",
      stringData: {
        "token-id": id,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-signing": "true",
        ...(seconds && { expiration: formatTime(cluster.clock.now() + seconds * 1000) }),
      },
    });
  await token("abcdef");
  await token("fedcba", 3600);
  await cluster.pass(1_000);
  const keys = async () => Object.keys((await maps.get("cluster-info")).data ?? {}).sort();
  assert.deepEqual(await keys(), ["jws-kubeconfig-abcdef", "jws-kubeconfig-fedcba", "kubeconfig"]);
  await cluster.pass(3_600_000);
  assert.deepEqual(await keys(), ["jws-kubeconfig-abcdef", "kubeconfig"]);
  await assert.rejects(tokens.get("bootstrap-token-fedcba"), { reason: "NotFound" });
  await tokens.get("bootstrap-token-abcdef");
});
