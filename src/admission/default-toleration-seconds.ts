import type { PodSpec, Toleration } from "../api/schema/core.v1.generated.ts";
import { defineAdmission } from "./plugin.ts";

const SECONDS = 300;
/** All pods share them: there may be very many. */
const TOLERATIONS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(
  (key) =>
    [
      key,
      Object.freeze<Toleration>({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: SECONDS }),
    ] as const,
);

/** Lets a pod stay five minutes on a node that does not answer, unless it says otherwise. */
export const defaultTolerationSeconds = defineAdmission({
  name: "DefaultTolerationSeconds",
  summary: "Adds tolerations of 300 seconds for nodes that are not ready or unreachable.",
  on: [["pods", ["CREATE", "UPDATE"]]],
  start: () => ({
    mutate({ object }) {
      const spec = (object as { spec?: PodSpec }).spec;
      if (!spec) return;
      for (const [key, toleration] of TOLERATIONS) {
        if (spec.tolerations?.some((given) => tolerates(given, key))) continue;
        spec.tolerations ??= [];
        spec.tolerations.push(toleration);
      }
    },
  }),
});

function tolerates({ key = "", effect = "" }: Toleration, taint: string): boolean {
  return (key === "" || key === taint) && (effect === "" || effect === "NoExecute");
}
