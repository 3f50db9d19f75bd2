import { issueCertificate, makeAuthority, validity } from "../../cluster/pki/certificate.ts";
import type { ServingPair } from "../node/node-run.ts";

const DAYS = 365;

/** What a kubelet serves with until the cluster gave it a certificate; nobody trusts it, but it answers. */
export function temporaryPair(
  nodeName: string,
  hostname: string,
  addresses: readonly string[],
  now: Date,
): ServingPair {
  const authority = makeAuthority(`${nodeName}-ca@${Math.floor(now.getTime() / 1000)}`, now);
  const { certificate, key } = issueCertificate(authority, {
    subject: { commonName: `${nodeName}@${Math.floor(now.getTime() / 1000)}` },
    usage: "server",
    ...validity(now, DAYS),
    dnsNames: [...new Set([nodeName, hostname.toLowerCase()])],
    addresses,
  });
  return { cert: certificate, key };
}
