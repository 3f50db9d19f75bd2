import type { NodeSpec } from "../api/schema/core.v1.generated.ts";
import { defineAdmission } from "./plugin.ts";

const NOT_READY = "node.kubernetes.io/not-ready";

/** A new node takes no pods before it has said that it is ready. */
export const taintNodesByCondition = defineAdmission({
  name: "TaintNodesByCondition",
  summary: "Taints every new node as not ready.",
  on: [["nodes", ["CREATE"]]],
  start: () => ({
    mutate({ object }) {
      const node = object as { spec?: NodeSpec };
      node.spec ??= {};
      if (node.spec.taints?.some(({ key, effect }) => key === NOT_READY && effect === "NoSchedule")) return;
      node.spec.taints = [...(node.spec.taints ?? []), { key: NOT_READY, effect: "NoSchedule" }];
    },
  }),
});
