/** Kubelets get certificates for what their own Nodes have, and for nothing else. */
import assert from "node:assert/strict";
import test from "node:test";
import { mayServe, startServingApprover } from "../../src/addons/kubelet-serving-approver/start-approver.ts";
import { CertificateSigningRequest } from "../../src/api/certificates/certificate-signing-request.ts";
import { Node } from "../../src/api/core/node.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { makeKey, makeRequest } from "../../src/kubelet/certificates/make-request.ts";
import { startCluster } from "../../src/testing/index.ts";

const SIGNER = "kubernetes.io/kubelet-serving";
const USAGES = ["digital signature", "server auth"];

function request(dnsNames: string[], ipAddresses: string[], node = "a"): string {
  const organizations = ["system:nodes"];
  const text = makeRequest(makeKey(), {
    commonName: `system:node:${node}`,
    organizations,
    dnsNames,
    ipAddresses,
  });
  return Buffer.from(text).toString("base64");
}

const NODE = {
  metadata: { name: "a" },
  status: {
    addresses: [
      { type: "InternalIP", address: "192.0.2.1" },
      { type: "InternalIP", address: "2001:db8:0:0::1" },
      { type: "Hostname", address: "host-a" },
    ],
  },
} as Node;

function csr(of: string, username = "system:node:a"): CertificateSigningRequest {
  const kind = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" };
  return {
    ...kind,
    metadata: { name: "r" },
    spec: { request: of, signerName: SIGNER, usages: USAGES, username },
  };
}

test("mayServe takes the names and addresses of the node that asks, however they are written", () => {
  assert.equal(mayServe(csr(request(["a", "host-a"], ["192.0.2.1", "2001:db8::1"])), NODE), true);
});

test("mayServe refuses what the node has not, another node, and what cannot be read", () => {
  assert.equal(mayServe(csr(request(["a"], ["192.0.2.2"])), NODE), false);
  assert.equal(mayServe(csr(request(["kubernetes.default"], [])), NODE), false);
  assert.equal(mayServe(csr(request(["a"], []), "system:node:b"), NODE), false);
  assert.equal(mayServe(csr(request(["a"], [], "b")), NODE), false);
  assert.equal(mayServe(csr(request(["a"], []), "kubernetes-admin"), NODE), false);
  assert.equal(mayServe(csr("!"), NODE), false);
});

test("a request waits for its node, is approved when it comes, and signed", {
  timeout: 240_000,
}, async (t) => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const informers = new Informers({ client, clock: systemClock, random: Math.random });
  const approver = startServingApprover({ client, informers, clock: systemClock, log: () => {} });
  t.after(async () => {
    await approver.stop();
    await informers.stop();
  });
  await client.request({
    method: "POST",
    path: "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    headers: {
      "content-type": "application/json",
      "impersonate-user": "system:node:a",
      "impersonate-group": "system:nodes",
    },
    body: JSON.stringify({
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name: "r" },
      spec: { request: request(["a"], ["192.0.2.1"]), signerName: SIGNER, usages: USAGES },
    }),
  });
  await client.resource(Node).create({ metadata: { name: "a" } });
  await client.resource(Node).update(
    {
      ...(await client.resource(Node).get("a")),
      status: { addresses: [{ type: "InternalIP", address: "192.0.2.1" }] },
    },
    { subresource: "status" },
  );
  const requests = informers.of(CertificateSigningRequest, { fieldSelector: `spec.signerName=${SIGNER}` });
  await requests.until(() => requests.lister.get("", "r")?.status?.certificate !== undefined);
  const [condition] = requests.lister.get("", "r")?.status?.conditions ?? [];
  assert.deepEqual([condition?.type, condition?.reason], ["Approved", "AutoApproved"]);
});
