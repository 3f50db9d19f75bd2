import type { KubeObject } from "../api/object.ts";
import { OID } from "../base/x509/certificate.ts";
import { readElement, readElements, readObjectIdentifier, readText } from "../base/x509/der.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

const SIGNER = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";
const BEGIN = "-----BEGIN CERTIFICATE REQUEST-----";
const END = "-----END CERTIFICATE REQUEST-----";

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
  const pem = atob(base64);
  const from = pem.indexOf(BEGIN);
  const to = pem.indexOf(END);
  if (from < 0 || to < from) throw new Error("PEM block type must be CERTIFICATE REQUEST");
  const der = Uint8Array.from(atob(pem.slice(from + BEGIN.length, to)), (c) => c.charCodeAt(0));
  const [information] = readElements(readElement(der).content);
  const [, subject] = information ? readElements(information.content) : [];
  if (!subject) throw new Error("no subject");
  const found: string[] = [];
  for (const relative of readElements(subject.content)) {
    for (const attribute of readElements(relative.content)) {
      const [type, value] = readElements(attribute.content);
      if (!type || !value || readObjectIdentifier(type.content) !== OID.organization) continue;
      const text = readText(value);
      if (text !== undefined) found.push(text);
    }
  }
  return found;
}
