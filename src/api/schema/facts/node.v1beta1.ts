import type { Facts } from "../facts.ts";

export const nodeV1beta1: Facts = {
  id: "node.v1beta1",
  group: "node.k8s.io",
  unserved: true,
  messages: `
  Overhead = node.v1
  RuntimeClass@ = node.v1
  RuntimeClassList@ = node.v1
  Scheduling = node.v1
  `,
};
