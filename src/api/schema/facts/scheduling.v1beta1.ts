import type { Facts } from "../facts.ts";

export const schedulingV1beta1: Facts = {
  id: "scheduling.v1beta1",
  group: "scheduling.k8s.io",
  unserved: true,
  messages: `
  PriorityClass@ = scheduling.v1
  PriorityClassList@ = scheduling.v1
  `,
};
