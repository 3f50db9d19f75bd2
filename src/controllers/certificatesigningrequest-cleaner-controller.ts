/** Deletes CertificateSigningRequests that nobody needs any more (upstream: pkg/controller/certificates/cleaner). */
import { CertificateSigningRequest } from "../api/certificates/certificate-signing-request.ts";
import { readCertificate } from "../base/x509/certificate.ts";
import { derOfPEM } from "../base/x509/pem.ts";
import { isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

const HOUR = 3_600_000;
const DECIDED_MS = HOUR;
const PENDING_MS = 24 * HOUR;

export const csrCleanerController = defineController<{ requests: CertificateSigningRequest }>({
  name: "certificatesigningrequest-cleaner-controller",
  account: "certificate-controller",
  inputs: { requests: input(CertificateSigningRequest, ({ key, now }) => (now ? [key] : [])) },
  start:
    ({ client, clock }, { requests }) =>
    async (name) => {
      const csr = requests.get("", name);
      const at = csr && neededUntil(csr);
      if (!csr || at === undefined) return undefined;
      const left = at - clock.now();
      if (left > 0) return { after: left };
      const { uid } = csr.metadata;
      try {
        await client.resource(CertificateSigningRequest).delete(name, { preconditions: { uid } });
      } catch (error) {
        if (!isReason(error, "NotFound", "Conflict")) throw error;
      }
      return undefined;
    },
});

/**
 * A day while nothing is decided, an hour from when it was; an approved one waits for its certificate as long as it
 * takes, and none outlives its certificate.
 */
export function neededUntil({ metadata, status }: CertificateSigningRequest): number | undefined {
  const { certificate, conditions = [] } = status ?? {};
  if (!certificate && conditions.length === 0) return Date.parse(metadata.creationTimestamp!) + PENDING_MS;
  const moments: number[] = [];
  for (const { type, lastUpdateTime } of conditions) {
    const decided = type === "Denied" || type === "Failed" || (type === "Approved" && certificate);
    if (decided && lastUpdateTime) moments.push(Date.parse(lastUpdateTime) + DECIDED_MS);
  }
  const expires = certificate && expiryOf(certificate);
  if (expires) moments.push(expires);
  return moments.length > 0 ? Math.min(...moments) : undefined;
}

/** Undefined where what was issued cannot be read: signers may write what they like. */
function expiryOf(certificate: string): number | undefined {
  const der = derOfPEM("CERTIFICATE", Buffer.from(certificate, "base64").toString("latin1"));
  if (!der) return undefined;
  try {
    return readCertificate(der).notAfter.getTime();
  } catch {
    return undefined;
  }
}
