/** `kybern reset`: as if there had never been a cluster. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface ResetRun {
  layout: Layout;
  yes: boolean;
}

export const resetVerb: Verb<ResetRun> = {
  name: "reset",
  summary: "Stop the cluster on this machine and remove all of it: containers, networks, rules and data",
  flags: [DATA_DIR, { syntax: "--yes", summary: "do not ask" }],
  examples: [["Start afresh", "kybern reset --yes && kybern up"]],
  parse: (flags) => ({ layout: layoutFromFlags(flags), yes: flags.yes === "true" }),
};
