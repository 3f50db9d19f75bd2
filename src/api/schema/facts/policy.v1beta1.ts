import type { Facts } from "../facts.ts";

export const policyV1beta1: Facts = {
  id: "policy.v1beta1",
  group: "policy",
  unserved: true,
  messages: `
  Eviction@ = policy.v1
  PodDisruptionBudget@ = policy.v1
  PodDisruptionBudgetList@ = policy.v1
  PodDisruptionBudgetSpec = policy.v1
  PodDisruptionBudgetStatus = policy.v1
  `,
};
