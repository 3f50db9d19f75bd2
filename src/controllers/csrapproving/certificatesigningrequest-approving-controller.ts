/**
 * Approves what kubelets ask for their own client certificates, where whoever asks may (upstream:
 * pkg/controller/certificates/approver). Every other request is for people to approve.
 */
import { SubjectAccessReview } from "../../api/authorization/subject-access-review.ts";
import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import type { CertificateRequest } from "../../base/x509/certificate-request.ts";
import type { Client } from "../../client/client.ts";
import {
  commonNameOf,
  hasCondition,
  requestOf,
  whyNoKubeletClient,
} from "../certificate-requests/request.ts";
import { defineController, input } from "../runtime/controller.ts";

const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";

interface Recognizer {
  /** The subresource that who asks must be allowed to create. */
  permission: string;
  message: string;
  recognizes(csr: CertificateSigningRequest, request: CertificateRequest): boolean;
}

/** The first whose permission is given approves. */
const RECOGNIZERS: readonly Recognizer[] = [
  {
    permission: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
    recognizes: ({ spec }, request) => spec.username === commonNameOf(request),
  },
  {
    permission: "nodeclient",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    recognizes: () => true,
  },
];

export const csrApprovingController = defineController<{ requests: CertificateSigningRequest }>({
  name: "certificatesigningrequest-approving-controller",
  account: "certificate-controller",
  queue: "certificate",
  workers: 5,
  inputs: {
    requests: input(CertificateSigningRequest, ({ key, now }) => (now && isOpen(now) ? [key] : [])),
  },
  start:
    ({ client }, { requests }) =>
    async (name) => {
      const csr = requests.get("", name);
      if (!csr || !isOpen(csr)) return undefined;
      const recognizers = recognizersOf(csr);
      for (const { permission, message } of recognizers) {
        if (!(await mayCreate(client, csr, permission))) continue;
        const condition = { type: "Approved", status: "True", reason: "AutoApproved", message };
        const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
        await client
          .resource(CertificateSigningRequest)
          .update({ ...csr, status }, { subresource: "approval" });
        return undefined;
      }
      // The permission may be given later.
      if (recognizers.length > 0) {
        throw new Error(`recognized csr ${JSON.stringify(name)} but subject access review was not approved`);
      }
      return undefined;
    },
});

function isOpen(csr: CertificateSigningRequest): boolean {
  return (
    csr.spec.signerName === SIGNER &&
    !csr.status?.certificate &&
    !hasCondition(csr, "Approved") &&
    !hasCondition(csr, "Denied")
  );
}

export function recognizersOf(csr: CertificateSigningRequest): readonly Recognizer[] {
  let request: CertificateRequest;
  try {
    request = requestOf(csr);
  } catch {
    return [];
  }
  if (whyNoKubeletClient(request, csr.spec.usages ?? [])) return [];
  return RECOGNIZERS.filter(({ recognizes }) => recognizes(csr, request));
}

async function mayCreate(client: Client, { spec }: CertificateSigningRequest, subresource: string) {
  const { username: user, uid, groups, extra } = spec;
  const review = await client.resource(SubjectAccessReview).create({
    metadata: {},
    spec: {
      user,
      uid,
      groups,
      extra,
      resourceAttributes: {
        group: "certificates.k8s.io",
        version: "*",
        resource: "certificatesigningrequests",
        subresource,
        verb: "create",
      },
    },
  });
  return review.status?.allowed === true;
}
