import type { KubeObject } from "../api/object.ts";
import { OID } from "../base/x509/certificate.ts";
import { readCertificateRequest } from "../base/x509/certificate-request.ts";
import { derOfPEM } from "../base/x509/pem.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

const SIGNER = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

/** Nobody may become an administrator beyond all authorization by way of a client certificate. */
export const certificateSubjectRestriction = defineAdmission({
  name: "CertificateSubjectRestriction",
  summary: "Refuses requests for client certificates of the group system:masters.",
  on: [["certificatesigningrequests.certificates.k8s.io", ["CREATE"]]],
  start: () => ({
    validate(request) {
      const { spec } = request.object as KubeObject & { spec?: { signerName?: string; request?: string } };
      if (spec?.signerName !== SIGNER) return;
      let organizations: string[];
      try {
        organizations = organizationsOf(spec.request ?? "");
      } catch (error) {
        throw refused(request, `failed to parse CSR: ${(error as Error).message}`);
      }
      if (!organizations.includes(MASTERS)) return;
      throw refused(request, `use of ${SIGNER} signer with ${MASTERS} group is not allowed`);
    },
  }),
});

/** The organizations in the subject of a PKCS #10 request, given as base64 of PEM. */
function organizationsOf(base64: string): string[] {
  const der = derOfPEM("CERTIFICATE REQUEST", atob(base64));
  if (!der) throw new Error("PEM block type must be CERTIFICATE REQUEST");
  const { subject } = readCertificateRequest(der);
  return subject.flatMap(({ type, text }) => (type === OID.organization && text !== undefined ? [text] : []));
}
