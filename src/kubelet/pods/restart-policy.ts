import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { containerHash } from "./config/container-hash.ts";
import type { ContainerRecord } from "./runtime-state.ts";

/** Whether a container that ended so runs again, by its own rules or its pod's. */
export function restartsAfter({ spec }: Pod, container: Container, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (action !== "Restart" && action !== "RestartAllContainers") continue;
    const listed = exitCodes?.values?.includes(exitCode) === true;
    if (exitCodes && listed === (exitCodes.operator === "In")) return true;
  }
  switch (container.restartPolicy ?? spec?.restartPolicy ?? "Always") {
    case "Never":
      return false;
    case "OnFailure":
      return exitCode !== 0;
    default:
      return true;
  }
}

/** Whether an init container is to end before the next begins: the others, sidecars, run beside the containers. */
export function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === "Always";
}

/** Whether its definition is no longer that of the container that runs. */
export function isOutdated(container: Container, record: ContainerRecord): boolean {
  return record.hash !== "" && record.hash !== containerHash(container);
}
