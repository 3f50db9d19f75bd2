import type { Facts } from "../facts.ts";

export const certificatesV1: Facts = {
  id: "certificates.v1",
  group: "certificates.k8s.io",
  messages: `
  CertificateSigningRequest@: 1 metadata, 2 spec, 3 status
  CertificateSigningRequestCondition: 1 type, 2 reason, 3 message, 4 lastUpdateTime, 5 lastTransitionTime,
    6 status
  CertificateSigningRequestList@: 1 metadata, 2 items
  CertificateSigningRequestSpec: 1 request, 2 username, 3 uid, 4 groups, 5 usages, 6 extra {ExtraValue},
    7 signerName, 8 expirationSeconds
  CertificateSigningRequestStatus: 1 conditions, 2 certificate
  `,
  merging: `
  CertificateSigningRequestSpec: groups atomic, usages atomic
  CertificateSigningRequestStatus: conditions map(type)
  `,
  pointers: `
  CertificateSigningRequestSpec: expirationSeconds
  `,
};
