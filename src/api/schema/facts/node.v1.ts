import type { Facts } from "../facts.ts";

export const nodeV1: Facts = {
  id: "node.v1",
  group: "node.k8s.io",
  messages: `
  Overhead: 1 podFixed {Quantity}
  RuntimeClass@: 1 metadata, 2 handler, 3 overhead, 4 scheduling
  RuntimeClassList@: 1 metadata, 2 items
  Scheduling: 1 nodeSelector, 2 tolerations
  `,
  merging: `
  Scheduling: nodeSelector atomic, tolerations atomic
  `,
};
