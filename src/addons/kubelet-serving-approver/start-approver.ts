/**
 * Approves what kubelets ask for to serve with: certificates for the names and addresses that their Nodes have. Upstream
 * leaves it to people, and clusters to unverified kubelets until somebody comes.
 */
import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { Node } from "../../api/core/node.ts";
import type { Clock } from "../../base/clock.ts";
import { type CertificateRequest, readCertificateRequest } from "../../base/x509/certificate-request.ts";
import { derOfPEM } from "../../base/x509/pem.ts";
import type { Client } from "../../client/client.ts";
import type { Informers } from "../../client/informer/informers.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import { formatIP, parseIP } from "../../machinery/names/ip-address.ts";

export interface ApproverOptions {
  /** May approve requests of the signer kubernetes.io/kubelet-serving. */
  client: Client;
  informers: Informers;
  clock: Clock;
  log(level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>): void;
}

const SIGNER = "kubernetes.io/kubelet-serving";
const USER = "system:node:";
const COMMON_NAME = "2.5.4.3";
const TELL_AFTER = 3;

export function startServingApprover({ client, informers, clock, log }: ApproverOptions): {
  stop(): Promise<void>;
} {
  const requests = informers.of(CertificateSigningRequest, { fieldSelector: `spec.signerName=${SIGNER}` });
  const nodes = informers.of(Node);
  const queue = new WorkQueue({
    clock,
    async work(name) {
      const csr = requests.lister.get("", name);
      if (!csr || !isOpen(csr)) return;
      const node = nodes.lister.get("", nodeOf(csr));
      // It is looked again when the node has come, or has other addresses.
      if (!node || !mayServe(csr, node)) return;
      const message = "Auto approving kubelet serving certificate for the addresses of its node.";
      const condition = { type: "Approved", status: "True", reason: "AutoApproved", message };
      const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
      await client
        .resource(CertificateSigningRequest)
        .update({ ...csr, status }, { subresource: "approval" });
    },
    retry: { first: 100, longest: 60_000 },
    failed: (name, error, attempt) => {
      if (attempt === TELL_AFTER)
        log("warn", "a certificate of a kubelet could not be approved", { name, error: String(error) });
    },
  });
  const leave = [
    requests.subscribe(({ now }) => now && isOpen(now) && queue.add(now.metadata.name ?? "")),
    nodes.subscribe(({ now }) => {
      for (const csr of now ? requests.lister.list() : [])
        if (isOpen(csr) && nodeOf(csr) === now?.metadata.name) queue.add(csr.metadata.name ?? "");
    }),
  ];
  requests.start();
  nodes.start();
  void Promise.all([requests.synced, nodes.synced]).then(() => queue.start());
  return {
    async stop() {
      for (const end of leave) end();
      await queue.close();
    },
  };
}

function isOpen({ status }: CertificateSigningRequest): boolean {
  const isDecided = status?.conditions?.some(({ type }) => type === "Approved" || type === "Denied");
  return !status?.certificate && !isDecided;
}

function nodeOf({ spec }: CertificateSigningRequest): string {
  return spec.username?.startsWith(USER) ? spec.username.slice(USER.length) : "";
}

/** Whether the node asks for itself, and for nothing that it has not. Pure. */
export function mayServe(csr: CertificateSigningRequest, { metadata, status }: Node): boolean {
  const request = read(csr);
  if (!request || nodeOf(csr) !== metadata.name) return false;
  const name = request.subject.findLast(({ type }) => type === COMMON_NAME)?.text;
  if (name !== csr.spec.username) return false;
  const own = new Set([metadata.name, ...(status?.addresses ?? []).map(({ address }) => canonical(address))]);
  return (
    request.dnsNames.every((dnsName) => own.has(dnsName)) &&
    request.ipAddresses.every((bytes) => own.has(textOf(bytes)))
  );
}

/** Addresses have many texts. */
function canonical(text: string): string {
  const ip = parseIP(text);
  return ip ? formatIP(ip) : text;
}

function textOf(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return formatIP({ family: bytes.length === 4 ? 4 : 6, value });
}

function read({ spec }: CertificateSigningRequest): CertificateRequest | undefined {
  try {
    const der = derOfPEM("CERTIFICATE REQUEST", atob(spec.request));
    return der && readCertificateRequest(der);
  } catch {
    return undefined;
  }
}
