import type { Facts } from "../facts.ts";

export const coordinationV1: Facts = {
  id: "coordination.v1",
  group: "coordination.k8s.io",
  messages: `
  Lease@: 1 metadata, 2 spec
  LeaseList@: 1 metadata, 2 items
  LeaseSpec: 1 holderIdentity, 2 leaseDurationSeconds, 3 acquireTime, 4 renewTime, 5 leaseTransitions,
    6 strategy, 7 preferredHolder
  `,
  pointers: `
  LeaseSpec: holderIdentity, leaseDurationSeconds, leaseTransitions, preferredHolder, strategy
  `,
};
