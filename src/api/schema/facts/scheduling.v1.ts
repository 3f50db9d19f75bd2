import type { Facts } from "../facts.ts";

export const schedulingV1: Facts = {
  id: "scheduling.v1",
  group: "scheduling.k8s.io",
  messages: `
  PriorityClass@: 1 metadata, 2 value, 3 globalDefault, 4 description, 5 preemptionPolicy
  PriorityClassList@: 1 metadata, 2 items
  `,
  enums: `
  PriorityClass: preemptionPolicy Never|PreemptLowerPriority
  `,
  pointers: `
  PriorityClass: preemptionPolicy
  `,
};
