/** Whether a signer of the cluster signs a request, and what it signs. Of upstream's rules for each signer. */
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";
import {
  alternativeNamesValue,
  authorityKeyValue,
  extension,
  keyUsageValue,
  signedCertificate,
  toBeSigned,
} from "../../base/x509/build-certificate.ts";
import { OID, readCertificate } from "../../base/x509/certificate.ts";
import type { CertificateRequest } from "../../base/x509/certificate-request.ts";
import { objectIdentifier, readElement, readElements, sequence, TAG, tlv } from "../../base/x509/der.ts";
import { derOfPEM, pemOf } from "../../base/x509/pem.ts";
import { whyNoKubeletClient, whyNoKubeletServing } from "../certificate-requests/request.ts";

type Rule = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

/** The signers of the cluster, and why each does not sign. */
export const SIGNERS: ReadonlyMap<string, Rule> = new Map([
  ["kubernetes.io/kube-apiserver-client", (_, usages) => whyNoAPIServerClient(usages)],
  ["kubernetes.io/kube-apiserver-client-kubelet", whyNoKubeletClient],
  ["kubernetes.io/kubelet-serving", whyNoKubeletServing],
  ["kubernetes.io/legacy-unknown", () => undefined],
] satisfies [string, Rule][]);

function whyNoAPIServerClient(usages: readonly string[]): string | undefined {
  const other = usages.find(
    (usage) => !["digital signature", "key encipherment", "client auth"].includes(usage),
  );
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth")
    ? undefined
    : "missing required usage for client certificate: client auth";
}

/** Numbers of RFC 5280 section 4.2.1.3. */
const KEY_USAGES: ReadonlyMap<string, number> = new Map([
  ["signing", 0],
  ["digital signature", 0],
  ["content commitment", 1],
  ["key encipherment", 2],
  ["data encipherment", 3],
  ["key agreement", 4],
  ["cert sign", 5],
  ["crl sign", 6],
  ["encipher only", 7],
  ["decipher only", 8],
]);

/** In the order in which they are written. */
const EXTENDED_KEY_USAGES: ReadonlyMap<string, string> = new Map([
  ["any", OID.anyExtendedKeyUsage],
  ["server auth", OID.serverAuth],
  ["client auth", OID.clientAuth],
  ["code signing", "1.3.6.1.5.5.7.3.3"],
  ["email protection", "1.3.6.1.5.5.7.3.4"],
  ["s/mime", "1.3.6.1.5.5.7.3.4"],
  ["ipsec end system", "1.3.6.1.5.5.7.3.5"],
  ["ipsec tunnel", "1.3.6.1.5.5.7.3.6"],
  ["ipsec user", "1.3.6.1.5.5.7.3.7"],
  ["timestamping", "1.3.6.1.5.5.7.3.8"],
  ["ocsp signing", "1.3.6.1.5.5.7.3.9"],
  ["microsoft sgc", "1.3.6.1.4.1.311.10.3.3"],
  ["netscape sgc", "2.16.840.1.113730.4.1"],
]);

const MINUTE = 60_000;
/** Upstream's --cluster-signing-duration. */
const LONGEST_MS = 365 * 24 * 60 * MINUTE;
const SHORTEST_MS = 10 * MINUTE;
/** Clocks that are behind must take the certificate; of a short one no time is taken off for it. */
const BACKDATE_MS = 5 * MINUTE;
const SHORT_MS = 8 * 60 * MINUTE;

export function validityOf(
  now: number,
  expirationSeconds: number | undefined,
  authorityUntil: number,
): { notBefore: Date; notAfter: Date } {
  if (now >= authorityUntil) {
    throw new Error(`the signer has expired: NotAfter=${new Date(authorityUntil).toISOString()}`);
  }
  const asked = expirationSeconds === undefined ? LONGEST_MS : expirationSeconds * 1000;
  const ms = Math.min(Math.max(asked, SHORTEST_MS), LONGEST_MS);
  const until = ms < SHORT_MS ? now + ms : now + ms - BACKDATE_MS;
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(Math.min(until, authorityUntil)) };
}

export interface Signing {
  request: CertificateRequest;
  usages: readonly string[];
  expirationSeconds: number | undefined;
  now: number;
}

/** Answers with the certificate as PEM. */
export type Sign = (signing: Signing) => string;

export function openAuthority(authority: { certificate: string; key: string }): Sign {
  const der = derOfPEM("CERTIFICATE", authority.certificate);
  if (!der) throw new Error("the signer has no certificate");
  const issuer = readCertificate(der);
  const key = createPrivateKey(authority.key);
  const identifier =
    issuer.subjectKeyIdentifier ?? identifierOf(createPublicKey(key).export({ format: "der", type: "spki" }));
  if (key.asymmetricKeyType !== "ec" && key.asymmetricKeyType !== "rsa") {
    throw new Error("the signer's key is neither EC nor RSA");
  }
  const algorithm =
    key.asymmetricKeyType === "ec"
      ? sequence(objectIdentifier(OID.ecdsaWithSHA256))
      : sequence(objectIdentifier(OID.sha256WithRSAEncryption), tlv(TAG.null));
  return ({ request, usages, expirationSeconds, now }) => {
    const serial = randomBytes(16);
    serial[0] = (serial[0]! & 0x7f) | 0x40;
    const signed = toBeSigned({
      serial,
      algorithm,
      issuer: issuer.subjectRaw,
      subject: request.subjectRaw,
      ...validityOf(now, expirationSeconds, issuer.notAfter.getTime()),
      publicKey: request.publicKey,
      extensions: extensionsOf(request, usages, identifier),
    });
    return pemOf("CERTIFICATE", signedCertificate(signed, algorithm, sign("sha256", signed, key)));
  };
}

function extensionsOf(
  request: CertificateRequest,
  usages: readonly string[],
  authority: Uint8Array,
): Uint8Array[] {
  const bits = usages.flatMap((usage) => KEY_USAGES.get(usage) ?? []);
  const purposes = new Set(
    [...EXTENDED_KEY_USAGES].flatMap(([usage, id]) => (usages.includes(usage) ? [id] : [])),
  );
  const list: Uint8Array[] = [];
  if (bits.length > 0) list.push(extension(OID.keyUsage, true, keyUsageValue(bits)));
  if (purposes.size > 0) {
    const value = sequence(...[...purposes].map(objectIdentifier));
    list.push(extension(OID.extendedKeyUsage, false, value));
  }
  list.push(
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.authorityKeyIdentifier, false, authorityKeyValue(authority)),
  );
  const names = alternativeNamesValue(request);
  // RFC 5280 section 4.2.1.6: without a subject the names are all there is.
  if (names) list.push(extension(OID.subjectAltName, request.subject.length === 0, names));
  return list;
}

/** RFC 5280 section 4.2.1.2, method 1. */
function identifierOf(publicKey: Uint8Array): Uint8Array {
  const [, bits] = readElements(readElement(publicKey).content);
  return createHash("sha1").update(bits!.content.subarray(1)).digest();
}
