import type { Facts } from "../facts.ts";

export const certificatesV1beta1: Facts = {
  id: "certificates.v1beta1",
  group: "certificates.k8s.io",
  messages: `
  CertificateSigningRequest@ = certificates.v1
  CertificateSigningRequestCondition = certificates.v1
  CertificateSigningRequestList@ = certificates.v1
  CertificateSigningRequestSpec = certificates.v1
  CertificateSigningRequestStatus = certificates.v1
  ClusterTrustBundle@: 1 metadata, 2 spec
  ClusterTrustBundleList@: 1 metadata, 2 items
  ClusterTrustBundleSpec: 1 signerName, 2 trustBundle
  PodCertificateRequest@: 1 metadata, 2 spec, 3 status
  PodCertificateRequestList@: 1 metadata, 2 items
  PodCertificateRequestSpec: 1 signerName, 2 podName, 3 podUID, 4 serviceAccountName, 5 serviceAccountUID,
    6 nodeName, 7 nodeUID, 8 maxExpirationSeconds, 9 pkixPublicKey, 10 proofOfPossession,
    11 unverifiedUserAnnotations, 12 stubPKCS10Request
  PodCertificateRequestStatus: 1 conditions, 2 certificateChain, 4 notBefore, 5 beginRefreshAt, 6 notAfter
  `,
  merging: `
  PodCertificateRequestStatus: conditions map(type) merge(type)
  `,
};
