import type { Facts } from "../facts.ts";

export const policyV1: Facts = {
  id: "policy.v1",
  group: "policy",
  messages: `
  Eviction@: 1 metadata, 2 deleteOptions
  PodDisruptionBudget@: 1 metadata, 2 spec, 3 status
  PodDisruptionBudgetList@: 1 metadata, 2 items
  PodDisruptionBudgetSpec: 1 minAvailable, 2 selector, 3 maxUnavailable, 4 unhealthyPodEvictionPolicy
  PodDisruptionBudgetStatus: 1 observedGeneration, 2 disruptedPods, 3 disruptionsAllowed,
    4 currentHealthy, 5 desiredHealthy, 6 expectedPods, 7 conditions
  `,
  merging: `
  PodDisruptionBudgetSpec: selector replace
  PodDisruptionBudgetStatus: conditions map(type) merge(type)
  `,
  enums: `
  PodDisruptionBudgetSpec: unhealthyPodEvictionPolicy AlwaysAllow|IfHealthyBudget
  `,
  pointers: `
  PodDisruptionBudgetSpec: maxUnavailable, minAvailable, unhealthyPodEvictionPolicy
  `,
};
