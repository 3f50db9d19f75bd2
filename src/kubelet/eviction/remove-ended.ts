/** Gives back the disk that containers of ended pods use, their logs too, before a pod that still runs is ended for it. */
import { rm } from "node:fs/promises";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import { POD_UID } from "../pods/runtime-labels.ts";
import type { RunningPods } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { ContainerState } from "../runtime/cri/shared.ts";

export interface EndedContainers {
  pods: Pick<RunningPods, "byUID">;
  runtime: Pick<ContainerRuntime, "listContainers" | "containerStatus" | "removeContainer">;
}

export async function removeEnded({ pods, runtime }: EndedContainers): Promise<void> {
  const filter = { state: { state: ContainerState.CONTAINER_EXITED } };
  const { containers } = await runtime.listContainers({ filter });
  for (const { id: containerId, labels } of containers) {
    const pod = pods.byUID(labels.get(POD_UID) ?? "");
    if (!pod || !hasPodEnded(pod)) continue;
    const { status } = await runtime.containerStatus({ containerId });
    await runtime.removeContainer({ containerId });
    if (status?.logPath) await rm(status.logPath, { force: true });
  }
}
