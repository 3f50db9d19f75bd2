import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { CertificateSigningRequest } from "../../src/api/certificates/certificate-signing-request.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { makeRequest } from "../../src/controllers/certificate-requests/testing/make-request.ts";
import { ClusterRoleBinding, startCluster, type VirtualCluster } from "../../src/testing/index.ts";

const API_CLIENT = "kubernetes.io/kube-apiserver-client";
const KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet";

type Spec = Partial<CertificateSigningRequest["spec"]>;

async function ask(cluster: VirtualCluster, name: string, spec: Spec): Promise<void> {
  const usages = ["digital signature", "key encipherment", "client auth"];
  const defaults = { request: "", signerName: API_CLIENT, usages };
  await cluster.client
    .resource(CertificateSigningRequest)
    .create({ metadata: { name }, spec: { ...defaults, ...spec } });
}

async function decide(cluster: VirtualCluster, name: string, type: "Approved" | "Denied"): Promise<void> {
  const requests = cluster.client.resource(CertificateSigningRequest);
  const csr = await requests.get(name);
  const conditions = [{ type, status: "True", reason: "Test", message: "by the test" }];
  await requests.update({ ...csr, status: { ...csr.status, conditions } }, { subresource: "approval" });
  await cluster.pass(1_000);
}

const find = (cluster: VirtualCluster, name: string) =>
  cluster.client.resource(CertificateSigningRequest).get(name);

test("an approved request is signed, and deleted an hour later; what is not approved is not signed", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { request, key } = makeRequest({ commonName: "jane", organizations: ["team"] });
  await ask(cluster, "jane", { request, expirationSeconds: 3600 });
  await ask(cluster, "denied", { request });
  await ask(cluster, "open", { request });
  await ask(cluster, "other", { request, signerName: "example.com/other" });
  await cluster.settle();
  for (const name of ["jane", "denied", "open"]) {
    assert.equal((await find(cluster, name)).status?.certificate, undefined);
  }
  await decide(cluster, "jane", "Approved");
  await decide(cluster, "denied", "Denied");
  await decide(cluster, "other", "Approved");
  const { status } = await find(cluster, "jane");
  const certificate = new X509Certificate(Buffer.from(status!.certificate!, "base64"));
  assert.equal(certificate.subject, "O=team\nCN=jane");
  assert.ok(certificate.checkPrivateKey(key));
  for (const name of ["denied", "open", "other"]) {
    assert.equal((await find(cluster, name)).status?.certificate, undefined);
  }
  const names = async () =>
    (await cluster.client.resource(CertificateSigningRequest).list()).items
      .map(({ metadata }) => metadata.name)
      .sort();
  await cluster.pass(3_590_000);
  assert.deepEqual(await names(), ["denied", "jane", "open", "other"]);
  await cluster.pass(20_000);
  assert.deepEqual(await names(), ["open", "other"]);
  await cluster.pass(23 * 3_600_000);
  assert.deepEqual(await names(), ["other"], "approved, and its signer may still come");
});

test("a request that breaks its signer's rules, or that another key signed, fails and says why", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { privateKey: forger } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await ask(cluster, "forged", makeRequest({ commonName: "jane", forger }));
  const node = makeRequest({ commonName: "system:node:n", organizations: ["system:nodes"] });
  const usages = ["digital signature", "server auth"];
  await ask(cluster, "nameless", {
    request: node.request,
    signerName: "kubernetes.io/kubelet-serving",
    usages,
  });
  for (const [name, message] of [
    ["forged", "unable to verify certificate request signature"],
    ["nameless", "DNS or IP subjectAltName is required"],
  ] as const) {
    await decide(cluster, name, "Approved");
    const { status } = await find(cluster, name);
    const failed = status?.conditions?.find(({ type }) => type === "Failed");
    assert.deepEqual([failed?.reason, failed?.message], ["SignerValidationFailure", message]);
    assert.equal(status?.certificate, undefined);
  }
});

test("a kubelet's request for its client certificate is approved where who asks may, and not before", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { client } = cluster;
  const allow = (name: string, role: string) =>
    client.resource(ClusterRoleBinding).create({
      metadata: { name },
      subjects: [{ kind: "Group", name: "joiners", apiGroup: "rbac.authorization.k8s.io" }],
      roleRef: { kind: "ClusterRole", name: role, apiGroup: "rbac.authorization.k8s.io" },
    });
  const askAsJoiner = (name: string, organizations: string[]) =>
    client.request({
      method: "POST",
      path: "/apis/certificates.k8s.io/v1/certificatesigningrequests",
      headers: {
        "content-type": "application/json",
        "impersonate-user": "joiner",
        "impersonate-group": "joiners",
      },
      body: JSON.stringify({
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name },
        spec: {
          request: makeRequest({ commonName: "system:node:n1", organizations }).request,
          signerName: KUBELET_CLIENT,
          usages: ["digital signature", "client auth"],
        },
      }),
    });
  await allow("join", "system:node-bootstrapper");
  await askAsJoiner("node", ["system:nodes"]);
  await askAsJoiner("greedy", ["system:masters"]);
  await cluster.pass(5_000);
  assert.deepEqual((await find(cluster, "node")).status?.conditions ?? [], []);

  await allow("approve", "system:certificates.k8s.io:certificatesigningrequests:nodeclient");
  await cluster.pass(30_000);
  const { spec, status } = await find(cluster, "node");
  assert.equal(spec.username, "joiner");
  const [condition] = status?.conditions ?? [];
  assert.equal(condition?.reason, "AutoApproved");
  const message = "Auto approving kubelet client certificate after SubjectAccessReview.";
  assert.equal(condition?.message, message);
  const certificate = new X509Certificate(Buffer.from(status!.certificate!, "base64"));
  assert.equal(certificate.subject, "O=system:nodes\nCN=system:node:n1");
  assert.deepEqual((await find(cluster, "greedy")).status?.conditions ?? [], []);
});
