import type { Facts } from "../facts.ts";

export const nodeV1alpha1: Facts = {
  id: "node.v1alpha1",
  group: "node.k8s.io",
  unserved: true,
  messages: `
  Overhead = node.v1
  RuntimeClass@: 1 metadata meta.v1.ObjectMeta, 2 spec RuntimeClassSpec
  RuntimeClassList@ = node.v1
  RuntimeClassSpec: 1 runtimeHandler string, 2 overhead Overhead, 3 scheduling Scheduling
  Scheduling = node.v1
  `,
};
