import type { Pod } from "../../schema/core.v1.generated.ts";

/** Whether an end of one container may have all containers of the pod begin anew. */
export function mayRestartAll({ spec }: Pick<Pod, "spec">): boolean {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return all.some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
}
