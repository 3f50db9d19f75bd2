/** A kubelet gets its certificates from the cluster, and others before they end. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CertificateSigningRequest } from "../../src/api/certificates/certificate-signing-request.ts";
import { ClusterRoleBinding } from "../../src/api/rbac/cluster-role-binding.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import type { ResourceClient } from "../../src/client/resource-client.ts";
import type { KeyedCertificate } from "../../src/kubelet/certificates/certificate-file.ts";
import { type KeepOptions, keepCertificate } from "../../src/kubelet/certificates/keep-certificate.ts";
import { asUser, clusterOfUsers } from "./harness/as-user.ts";

const NODE = "machine";

async function setUp(t: TestContext, more: Partial<KeepOptions> = {}) {
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const { cluster, transport } = await clusterOfUsers(clock);
  t.after(() => cluster.stop());
  const directory = await mkdtemp(join(tmpdir(), "kybern-certificates-"));
  t.after(() => rm(directory, { recursive: true }));
  const bind = (name: string, group: string, role: string) =>
    cluster.client.resource(ClusterRoleBinding).create({
      metadata: { name },
      subjects: [{ kind: "Group", name: group, apiGroup: "rbac.authorization.k8s.io" }],
      roleRef: { kind: "ClusterRole", name: role, apiGroup: "rbac.authorization.k8s.io" },
    });
  await bind("join", "joiners", "system:node-bootstrapper");
  await bind("first", "joiners", "system:certificates.k8s.io:certificatesigningrequests:nodeclient");
  await bind("next", "system:nodes", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient");
  const pairs: KeyedCertificate[] = [];
  const second = Promise.withResolvers<KeyedCertificate>();
  const asked: string[] = [];
  const users = {
    joiner: asUser(transport, "joiner", "joiners"),
    node: asUser(transport, `system:node:${NODE}`, "system:nodes"),
  };
  const options: KeepOptions = {
    purpose: "client",
    nodeName: NODE,
    client: () => {
      const user = pairs.length === 0 ? "joiner" : "node";
      asked.push(user);
      return users[user];
    },
    directory,
    clock,
    random: () => 0,
    renewed: (pair) => {
      if (pairs.push(pair) === 2) second.resolve(pair);
    },
    ...more,
  };
  return { cluster, options, pairs, second: second.promise, asked, directory, users };
}

/** Answers the first request that nobody answered yet, which may be still to come. */
async function decide(
  requests: ResourceClient<CertificateSigningRequest>,
  type: "Approved" | "Denied",
): Promise<void> {
  const events = requests.watch({
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  for await (const { type: event, object: csr } of events) {
    if (event === "BOOKMARK" || csr.status?.conditions?.length) continue;
    const conditions = [{ type, status: "True", reason: "Test", message: "no" }];
    await requests.update({ ...csr, status: { ...csr.status, conditions } }, { subresource: "approval" });
    return;
  }
}

const DAY = 24 * 60 * 60_000;

test("a kubelet joins with the certificate it is given, renews it in time, and finds it after a restart", async (t) => {
  const { cluster, options, pairs, second, asked, directory } = await setUp(t);
  const kept = keepCertificate(options);
  await cluster.pass(30_000);
  const first = await kept.first;
  const certificate = new X509Certificate(first.certificate);
  assert.equal(certificate.subject, `O=system:nodes\nCN=system:node:${NODE}`);
  assert.match(first.key, /PRIVATE KEY/);
  const ends = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
  await cluster.pass(ends * 0.7 - DAY);
  assert.equal(pairs.length, 1);
  await cluster.pass(2 * DAY);
  await second;
  assert.deepEqual(asked, ["joiner", "node"]);
  await kept.stop();

  assert.match(
    await readlink(join(directory, "kubelet-client-current.pem")),
    /^kubelet-client-2026-\d\d-\d\d-/,
  );
  assert.equal((await readdir(directory)).length, 3);
  const next = keepCertificate({ ...options, client: () => assert.fail("nothing is to be asked for") });
  assert.deepEqual(await next.first, pairs[1]);
  await next.stop();
});

test("a serving certificate waits for somebody to approve it, and follows the node's addresses", async (t) => {
  const addresses = ["192.0.2.1", "2001:db8::1"];
  const { cluster, options, pairs, second, users } = await setUp(t, {
    purpose: "serving",
    names: () => ({ dnsNames: [NODE], ipAddresses: addresses }),
  });
  const kept = keepCertificate({ ...options, client: () => users.node });
  const requests = cluster.client.resource(CertificateSigningRequest);
  const approve = () => decide(requests, "Approved");
  assert.equal(pairs.length, 0);
  await approve();
  const { subjectAltName } = new X509Certificate((await kept.first).certificate);
  assert.equal(subjectAltName, `DNS:${NODE}, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1`);
  kept.namesChanged();
  await cluster.pass(1_000);
  assert.equal((await requests.list()).items.length, 1);

  addresses[0] = "192.0.2.9";
  kept.namesChanged();
  await approve();
  assert.match(new X509Certificate((await second).certificate).subjectAltName ?? "", /192\.0\.2\.9/);
  await kept.stop();
});

test("a request that is denied is made again later", async (t) => {
  const log: string[] = [];
  const { cluster, options, pairs, users } = await setUp(t, {
    purpose: "serving",
    names: () => ({ dnsNames: [NODE], ipAddresses: [] }),
    log: (_, text, facts) => log.push(`${text}: ${facts?.error}`),
  });
  const kept = keepCertificate({ ...options, client: () => users.node });
  const requests = cluster.client.resource(CertificateSigningRequest);
  await decide(requests, "Denied");
  await cluster.pass(1_000);
  assert.match(log[0]!, /is denied, reason: Test, message: no/);
  await cluster.pass(2_500);
  assert.equal((await requests.list()).items.length, 2);
  assert.equal(pairs.length, 0);
  await kept.stop();
  await assert.rejects(kept.first, /the kubelet stops/);
});
