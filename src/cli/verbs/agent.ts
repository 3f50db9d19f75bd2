/** `kybern agent`: a node of a cluster elsewhere, in the foreground. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { NODE_FLAGS, type NodeFlags, nodeFlags } from "../node-flags.ts";
import type { Verb } from "../verb.ts";

export interface AgentRun {
  layout: Layout;
  node: NodeFlags;
}

export const agentVerb: Verb<AgentRun> = {
  name: "agent",
  summary: "Run the node of a machine that has joined a cluster in the foreground; `kybern join` starts it",
  flags: [DATA_DIR, ...NODE_FLAGS],
  examples: [["After `kybern join` and `kybern down`", "kybern agent"]],
  parse: (flags) => ({ layout: layoutFromFlags(flags), node: nodeFlags(flags) }),
};
