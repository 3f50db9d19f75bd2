import type { Facts } from "../facts.ts";

export const coordinationV1alpha2: Facts = {
  id: "coordination.v1alpha2",
  group: "coordination.k8s.io",
  messages: `
  LeaseCandidate@ = coordination.v1beta1
  LeaseCandidateList@ = coordination.v1beta1
  LeaseCandidateSpec = coordination.v1beta1
  `,
};
