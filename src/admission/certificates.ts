/** What may be done with a certificate signing request depends on whose name the certificate would be signed in. */
import type { KubeObject } from "../api/object.ts";
import type { Authorizer } from "../api/user.ts";
import { deepEqual } from "../machinery/json/equal.ts";
import { type AdmissionRequest, defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

type Request = KubeObject & {
  spec?: { signerName?: string };
  status?: { certificate?: string };
};

const SIGNING = "certificatesigningrequests.certificates.k8s.io";

/** Whether the user may `verb` on the signer itself or on all signers of its domain (`example.com/*`). */
async function isAllowed(
  authorizer: Authorizer,
  { user }: AdmissionRequest,
  verb: "approve" | "sign",
  signer: string,
): Promise<boolean> {
  for (const name of [signer, `${signer.split("/")[0]}/*`]) {
    const { decision } = await authorizer.authorize({
      user,
      verb,
      namespace: "",
      group: "certificates.k8s.io",
      version: "*",
      resource: "signers",
      subresource: "",
      name,
      path: "",
      isResource: true,
    });
    if (decision === "allow") return true;
  }
  return false;
}

async function check(
  authorizer: Authorizer,
  request: AdmissionRequest,
  verb: "approve" | "sign",
): Promise<void> {
  const signer = (request.old as Request).spec?.signerName ?? "";
  if (await isAllowed(authorizer, request, verb, signer)) return;
  throw refused(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`);
}

export const certificateApproval = defineAdmission({
  name: "CertificateApproval",
  summary: "Lets only those approve or deny who may approve for the signer.",
  on: [[`${SIGNING}/approval`, ["UPDATE"]]],
  start: ({ authorizer }) => ({ validate: (request) => check(authorizer, request, "approve") }),
});

export const certificateSigning = defineAdmission({
  name: "CertificateSigning",
  summary: "Lets only those sign who may sign for the signer.",
  on: [[`${SIGNING}/status`, ["UPDATE"]]],
  start: ({ authorizer }) => ({
    validate(request) {
      const { object, old } = request as { object?: Request; old?: Request };
      // Whoever only changes conditions, such as a controller that gives up, signs nothing.
      if (deepEqual(object?.status?.certificate, old?.status?.certificate)) return;
      return check(authorizer, request, "sign");
    },
  }),
});
