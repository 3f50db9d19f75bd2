/** An API server with a port, and what its clients and kubelets show: the part of a cluster that streams go through. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Node } from "../../../src/api/core/node.ts";
import { ServiceAccount } from "../../../src/api/core/service-account.ts";
import { type APIServerOptions, startAPIServer } from "../../../src/apiserver/api-server.ts";
import { dispatchTo } from "../../../src/apiserver/http/dispatch.ts";
import { serve } from "../../../src/apiserver/http/server.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { type Client, openClient } from "../../../src/client/client.ts";
import { InProcessTransport } from "../../../src/client/transports/in-process-transport.ts";
import { derOf, issueCertificate, type KeyPair, validity } from "../../../src/cluster/pki/certificate.ts";
import { ensurePKI, type PKI } from "../../../src/cluster/pki/ensure-pki.ts";
import { issueClientCertificate } from "../../../src/cluster/pki/issue-client-certificate.ts";
import { openMemory } from "../../../src/store/memory/open-memory.ts";

export const NODE = "worker";

export interface ControlPlane {
  pki: PKI;
  port: number;
  url: string;
  /** Of an administrator. */
  client: Client;
  clientAs(name: string, groups?: readonly string[]): Client;
  /** A client certificate of the cluster. */
  issue(name: string, groups?: readonly string[]): KeyPair;
  /** What a kubelet on 127.0.0.1 shows. */
  kubeletCertificate(): { cert: string; key: string };
  /** The Node of a kubelet that is reached at 127.0.0.1, or at `address`. */
  createNode(name: string, port: number, address?: string): Promise<void>;
}

export async function startControlPlane(
  t: Pick<TestContext, "after">,
  more: Partial<APIServerOptions> = {},
): Promise<ControlPlane> {
  const now = new Date();
  const directory = await mkdtemp(join(tmpdir(), "kybern-streaming-"));
  const request = { directory, now, hostname: "test", dnsDomain: "cluster.local" };
  const pki = await ensurePKI({ ...request, serviceAddresses: ["10.96.0.1"], addresses: ["127.0.0.1"] });
  await rm(directory, { recursive: true });
  const store = await openMemory({ clock: systemClock });
  const { apiserver, apiserverKubeletClient: own, ca, frontProxyCA, serviceAccount } = pki;
  const bugs: string[] = [];
  const server = await startAPIServer({
    store,
    clock: systemClock,
    credentials: {
      clientCA: ca.certificate,
      frontProxyCA: frontProxyCA.certificate,
      serviceAccountPrivateKey: serviceAccount.privateKey,
    },
    settings: {
      serviceCIDRs: ["10.96.0.0/12"],
      nodePortRange: { from: 30000, to: 32767 },
      dnsDomain: "cluster.local",
    },
    kubelet: { credentials: () => ({ cert: own.certificate, key: own.key, ca: ca.certificate }) },
    log: (level, text, facts) => {
      if (level === "error") bugs.push(`${text}: ${JSON.stringify(facts)}`);
    },
    ...more,
  });
  const listener = await serve({
    host: "127.0.0.1",
    port: 0,
    certificates: { cert: apiserver.certificate, key: apiserver.key, clientCA: [ca.certificate] },
    handler: server.handler,
  });
  t.after(async () => {
    await listener.close(0);
    await server.close();
    await store[Symbol.asyncDispose]();
    if (bugs.length > 0) throw new Error(bugs.join("\n"));
  });
  const issue = (name: string, groups: readonly string[] = []): KeyPair =>
    issueClientCertificate({ ca, name, groups, now });
  const clientAs = (name: string, groups?: readonly string[]): Client => {
    const shown = { raw: derOf(issue(name, groups).certificate) };
    return openClient(new InProcessTransport(dispatchTo(server.handler, () => shown)));
  };
  const client = clientAs("kubernetes-admin", ["system:masters"]);
  await client.resource(ServiceAccount, "default").create({ metadata: { name: "default" } });
  return {
    ...{ pki, port: listener.port, url: `https://127.0.0.1:${listener.port}`, client, clientAs, issue },
    kubeletCertificate: () => servingCertificate(pki, now),
    createNode: (name, port, address = "127.0.0.1") => createNode(client, name, port, address),
  };
}

function servingCertificate({ ca }: PKI, now: Date) {
  const { certificate, key } = issueCertificate(ca, {
    subject: { commonName: `system:node:${NODE}`, organizations: ["system:nodes"] },
    usage: "server",
    ...validity(now, 30),
    addresses: ["127.0.0.1"],
  });
  return { cert: certificate, key };
}

async function createNode(client: Client, name: string, port: number, address: string): Promise<void> {
  const created = await client.resource(Node).create({ metadata: { name } });
  await client.resource(Node).updateStatus({
    ...created,
    status: {
      addresses: [{ type: "InternalIP", address }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  } as typeof created);
}
