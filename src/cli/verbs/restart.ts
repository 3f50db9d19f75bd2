/** `kybern restart`: down and up again, as it was. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface RestartRun {
  layout: Layout;
}

export const restartVerb: Verb<RestartRun> = {
  name: "restart",
  summary: "Stop the cluster on this machine and start it again; containers go on running meanwhile",
  flags: [DATA_DIR],
  examples: [["After an upgrade of Kybern", "kybern restart"]],
  parse: (flags) => ({ layout: layoutFromFlags(flags) }),
};
