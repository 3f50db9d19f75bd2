/** `kybern kubeconfig`: how clients reach the cluster. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import type { Verb } from "../verb.ts";

export interface KubeconfigRun {
  layout: Layout;
  /** The file to add it to; undefined: it is printed. */
  mergeInto: string | undefined;
}

export const kubeconfigVerb: Verb<KubeconfigRun> = {
  name: "kubeconfig",
  summary: "Print the administrator's kubeconfig, or add it to your own",
  flags: [
    DATA_DIR,
    {
      syntax: "--merge",
      summary: "add it to your kubeconfig as the current context, and keep what is there",
    },
    { syntax: "--into <file>", summary: "your kubeconfig; by default $KUBECONFIG or ~/.kube/config" },
  ],
  examples: [["Use kubectl without any flag", "kybern kubeconfig --merge"]],
  parse(flags) {
    const merge = flags.merge === "true" || flags.into !== undefined;
    const own = process.env.KUBECONFIG?.split(":").find(Boolean) ?? join(homedir(), ".kube/config");
    return { layout: layoutFromFlags(flags), mergeInto: merge ? resolve(flags.into ?? own) : undefined };
  },
};
