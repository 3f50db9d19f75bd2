import type { Facts } from "../facts.ts";

export const certificatesV1alpha1: Facts = {
  id: "certificates.v1alpha1",
  group: "certificates.k8s.io",
  messages: `
  ClusterTrustBundle@ = certificates.v1beta1
  ClusterTrustBundleList@ = certificates.v1beta1
  ClusterTrustBundleSpec = certificates.v1beta1
  `,
};
