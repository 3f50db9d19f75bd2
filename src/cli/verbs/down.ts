/** `kybern down`: ends what `kybern up` started. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface DownRun {
  layout: Layout;
  /** Whether containers end too. */
  containers: boolean;
}

export const downVerb: Verb<DownRun> = {
  name: "down",
  summary: "Stop the cluster on this machine; nothing that it keeps is lost",
  flags: [
    DATA_DIR,
    { syntax: "--containers", summary: "end the containers too, which by default go on running" },
  ],
  examples: [["Before the machine is serviced", "kybern down --containers"]],
  parse: (flags) => ({ layout: layoutFromFlags(flags), containers: flags.containers === "true" }),
};
