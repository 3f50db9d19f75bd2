import { X509Certificate } from "node:crypto";
import { type Certificate, OID, readCertificate } from "../../base/x509/certificate.ts";
import type { PeerCertificate } from "./method.ts";

/** Chains longer than this are refused. */
const LONGEST_CHAIN = 8;

export interface Verified {
  certificate: Certificate;
  /** Milliseconds since 1970 between which the chain holds. */
  from: number;
  until: number;
}

/** The certificates of a bundle. */
export function readAuthorities(bundle: string): X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Whether a client certificate leads to one of `authorities`; undefined where it does not, or is not for clients. The
 * caller compares the times, since the answer is kept.
 */
export function verifyClientCertificate(
  peer: PeerCertificate,
  authorities: readonly X509Certificate[],
): Verified | undefined {
  try {
    const certificate = readCertificate(peer.raw);
    const usages = certificate.extendedKeyUsages;
    if (usages && !usages.includes(OID.clientAuth) && !usages.includes(OID.anyExtendedKeyUsage))
      return undefined;
    return climb(peer, certificate, authorities);
  } catch {
    return undefined;
  }
}

function climb(
  peer: PeerCertificate,
  certificate: Certificate,
  authorities: readonly X509Certificate[],
): Verified | undefined {
  let from = certificate.notBefore.getTime();
  let until = certificate.notAfter.getTime();
  const include = ({ raw }: { raw: Uint8Array }) => {
    const { notBefore, notAfter } = readCertificate(raw);
    from = Math.max(from, notBefore.getTime());
    until = Math.min(until, notAfter.getTime());
  };
  let below = new X509Certificate(peer.raw);
  let link = peer;
  for (let depth = 0; depth < LONGEST_CHAIN; depth++) {
    const root = authorities.find((authority) => isIssuedBy(below, authority));
    if (root) {
      include(root);
      return { certificate, from, until };
    }
    const next = link.issuerCertificate;
    if (!next || next === link) return undefined;
    const issuer = new X509Certificate(next.raw);
    if (!isIssuedBy(below, issuer)) return undefined;
    include(issuer);
    below = issuer;
    link = next;
  }
  return undefined;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
