/** `kybern install`: the cluster starts with the machine. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface InstallRun {
  layout: Layout;
  remove: boolean;
}

export const installVerb: Verb<InstallRun> = {
  name: "install",
  summary: "Have systemd start the cluster with the machine, as `kybern up` was told last",
  flags: [DATA_DIR, { syntax: "--remove", summary: "do not start it with the machine any more" }],
  examples: [["Start with the machine from now on", "kybern install"]],
  parse: (flags) => ({ layout: layoutFromFlags(flags), remove: flags.remove === "true" }),
};
