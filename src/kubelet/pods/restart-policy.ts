import type { Container, ContainerRestartRule, Pod } from "../../api/schema/core.v1.generated.ts";
import { containerHash } from "./config/container-hash.ts";
import type { ContainerRecord } from "./runtime-state.ts";

/** Whether a container that ended so runs again, by its own rules or its pod's. */
export function restartsAfter({ spec }: Pod, container: Container, exitCode: number): boolean {
  const action = restartRule(container, exitCode)?.action;
  if (action === "Restart" || action === "RestartAllContainers") return true;
  switch (container.restartPolicy ?? spec?.restartPolicy ?? "Always") {
    case "Never":
      return false;
    case "OnFailure":
      return exitCode !== 0;
    default:
      return true;
  }
}

/** The first of the container's own rules that speaks of the exit code. */
export function restartRule(
  { restartPolicyRules = [] }: Container,
  exitCode: number,
): ContainerRestartRule | undefined {
  return restartPolicyRules.find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) === true;
    return exitCodes && listed === (exitCodes.operator === "In");
  });
}

/** Whether an init container is to end before the next begins: the others, sidecars, run beside the containers. */
export function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === "Always";
}

/** Whether its definition is no longer that of the container that runs. */
export function isOutdated(container: Container, record: ContainerRecord): boolean {
  return record.hash !== "" && record.hash !== containerHash(container);
}
