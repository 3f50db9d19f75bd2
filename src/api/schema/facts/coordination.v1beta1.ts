import type { Facts } from "../facts.ts";

export const coordinationV1beta1: Facts = {
  id: "coordination.v1beta1",
  group: "coordination.k8s.io",
  messages: `
  Lease@ = coordination.v1
  LeaseCandidate@: 1 metadata, 2 spec
  LeaseCandidateList@: 1 metadata, 2 items
  LeaseCandidateSpec: 1 leaseName, 2 pingTime, 3 renewTime, 4 binaryVersion, 5 emulationVersion,
    6 strategy
  LeaseList@ = coordination.v1
  LeaseSpec = coordination.v1
  `,
};
