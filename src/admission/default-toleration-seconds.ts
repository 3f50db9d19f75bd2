import type { PodSpec, Toleration } from "../api/schema/core.v1.generated.ts";
import { defineAdmission } from "./plugin.ts";

const SECONDS = 300;
const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Lets a pod stay five minutes on a node that does not answer, unless it says otherwise. */
export const defaultTolerationSeconds = defineAdmission({
  name: "DefaultTolerationSeconds",
  summary: "Adds tolerations of 300 seconds for nodes that are not ready or unreachable.",
  on: [["pods", ["CREATE", "UPDATE"]]],
  start: () => ({
    mutate({ object }) {
      const spec = (object as { spec?: PodSpec }).spec;
      if (!spec) return;
      for (const key of TAINTS) {
        if (spec.tolerations?.some((toleration) => tolerates(toleration, key))) continue;
        spec.tolerations ??= [];
        spec.tolerations.push({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: SECONDS });
      }
    },
  }),
});

function tolerates({ key = "", effect = "" }: Toleration, taint: string): boolean {
  return (key === "" || key === taint) && (effect === "" || effect === "NoExecute");
}
