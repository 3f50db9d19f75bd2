/** `kybern kubectl …`: kubectl for this cluster. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface KubectlRun {
  layout: Layout;
  arguments: string[];
}

export const kubectlVerb: Verb<KubectlRun> = {
  name: "kubectl",
  summary: "Run the machine's kubectl with the administrator's kubeconfig",
  arguments: [{ syntax: "[arguments...]", summary: "as kubectl takes them" }],
  flags: [DATA_DIR],
  examples: [["All pods", "kybern kubectl get pods --all-namespaces"]],
  passesOn: true,
  parse: (flags, given) => ({
    layout: layoutFromFlags(flags),
    arguments: given.filter((argument) => argument !== undefined),
  }),
};
