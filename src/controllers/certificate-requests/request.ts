/** What the approver and the signer read off a CertificateSigningRequest. */
import { createPublicKey, verify } from "node:crypto";
import type { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { type CertificateRequest, readCertificateRequest } from "../../base/x509/certificate-request.ts";
import { derOfPEM } from "../../base/x509/pem.ts";

export function hasCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type) ?? false;
}

/** Throws where it cannot be read. */
export function requestOf({ spec }: CertificateSigningRequest): CertificateRequest {
  const der = derOfPEM("CERTIFICATE REQUEST", Buffer.from(spec.request, "base64").toString("latin1"));
  if (!der) throw new Error("PEM block type must be CERTIFICATE REQUEST");
  return readCertificateRequest(der);
}

/** The hash by the algorithm's object identifier; "" for algorithms that need none. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.3.101.112", ""],
]);

/** Whether who asks holds the key. */
export function isSignedByItsKey(request: CertificateRequest): boolean {
  const hash = HASHES.get(request.signatureAlgorithm);
  if (hash === undefined) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(request.publicKey), format: "der", type: "spki" });
    return verify(hash === "" ? null : hash, request.signed, key, request.signature);
  } catch {
    return false;
  }
}

const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";

/** The last of them, as Go reads names. */
export function commonNameOf({ subject }: CertificateRequest): string {
  return subject.findLast(({ type }) => type === COMMON_NAME)?.text ?? "";
}

function organizationsOf({ subject }: CertificateRequest): string[] {
  return subject.filter(({ type }) => type === ORGANIZATION).map(({ text }) => text ?? "");
}

/** Why the request is none for a kubelet's client certificate; undefined where it is one. */
export function whyNoKubeletClient(
  request: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  if (!isOfNodes(request)) return "subject organization is not system:nodes";
  if (request.dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (request.emails.length > 0) return "Email subjectAltNames are not allowed";
  if (request.ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!isNamedAsNode(request)) return "subject common name does not begin with system:node:";
  return whyNotUsages(usages, "client auth");
}

/** Why the request is none for a kubelet's serving certificate; undefined where it is one. */
export function whyNoKubeletServing(
  request: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  if (!isOfNodes(request)) return "subject organization is not system:nodes";
  if (request.dnsNames.length + request.ipAddresses.length === 0)
    return "DNS or IP subjectAltName is required";
  if (request.emails.length > 0) return "Email subjectAltNames are not allowed";
  if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
  const wrong = whyNotUsages(usages, "server auth");
  if (wrong) return wrong;
  return isNamedAsNode(request) ? undefined : "subject common name does not begin with system:node:";
}

function isOfNodes(request: CertificateRequest): boolean {
  const organizations = organizationsOf(request);
  return organizations.length === 1 && organizations[0] === "system:nodes";
}

function isNamedAsNode(request: CertificateRequest): boolean {
  return commonNameOf(request).startsWith("system:node:");
}

/** Keys that are not RSA cannot encipher keys: that usage may be left out. */
function whyNotUsages(usages: readonly string[], purpose: string): string | undefined {
  const all = [purpose, "digital signature", "key encipherment"].sort();
  const given = new Set(usages);
  const isRight =
    given.has(purpose) && given.has("digital signature") && [...given].every((u) => all.includes(u));
  return isRight ? undefined : `usages did not match [${all.join(" ")}]`;
}
