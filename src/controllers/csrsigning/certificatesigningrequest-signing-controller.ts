/** Signs the approved requests of the cluster's own signers (upstream: pkg/controller/certificates/signer). */
import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { hasCondition, isSignedByItsKey, requestOf } from "../certificate-requests/request.ts";
import { defineController, input } from "../runtime/controller.ts";
import { openAuthority, SIGNERS } from "./sign.ts";

export const csrSigningController = defineController<{ requests: CertificateSigningRequest }>({
  name: "certificatesigningrequest-signing-controller",
  account: "certificate-controller",
  queue: "certificate",
  workers: 5,
  inputs: {
    requests: input(CertificateSigningRequest, ({ key, now }) => (now && isToBeSigned(now) ? [key] : [])),
  },
  start({ client, clock, settings }, { requests }) {
    const { signer } = settings;
    if (!signer) return async () => undefined;
    const sign = openAuthority(signer);
    return async (name) => {
      const csr = requests.get("", name);
      if (!csr || !isToBeSigned(csr)) return undefined;
      const { usages = [], expirationSeconds } = csr.spec;
      const outcome = judge(csr);
      const status = { ...csr.status };
      if (typeof outcome === "string") {
        const failed = {
          type: "Failed",
          status: "True",
          reason: "SignerValidationFailure",
          message: outcome,
        };
        status.conditions = [...(status.conditions ?? []), failed];
      } else {
        const pem = sign({ request: outcome, usages, expirationSeconds, now: clock.now() });
        status.certificate = Buffer.from(pem).toString("base64");
      }
      await client.resource(CertificateSigningRequest).updateStatus({ ...csr, status });
      return undefined;
    };
  },
});

function isToBeSigned(csr: CertificateSigningRequest): boolean {
  return (
    SIGNERS.has(csr.spec.signerName) &&
    !csr.status?.certificate &&
    hasCondition(csr, "Approved") &&
    !hasCondition(csr, "Failed")
  );
}

/** The request that may be signed, or why it may not. */
function judge(csr: CertificateSigningRequest): ReturnType<typeof requestOf> | string {
  let request: ReturnType<typeof requestOf>;
  try {
    request = requestOf(csr);
  } catch (error) {
    return `unable to parse csr: ${error instanceof Error ? error.message : error}`;
  }
  if (!isSignedByItsKey(request)) return "unable to verify certificate request signature";
  return SIGNERS.get(csr.spec.signerName)?.(request, csr.spec.usages ?? []) ?? request;
}
