/** `kybern doctor`: why something does not work, and what helps. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface DoctorRun {
  layout: Layout;
}

export const doctorVerb: Verb<DoctorRun> = {
  name: "doctor",
  summary: "Look for what is wrong with the machine and the cluster on it, and say what helps",
  flags: [DATA_DIR],
  examples: [["When `kybern up` fails", "kybern doctor"]],
  parse: (flags) => ({ layout: layoutFromFlags(flags) }),
};
