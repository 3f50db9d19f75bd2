/** The logs of the containers that run now, by what the kubelet says of their pods. */
import { join } from "node:path";
import { containerLogPath } from "../pods/config/container-config.ts";
import { podLogDirectory } from "../pods/pod-name.ts";
import type { RunningPods } from "../ports.ts";
import type { ContainerLog } from "./rotation.ts";

export function runningLogs(pods: Pick<RunningPods, "list">, podLogs: string): ContainerLog[] {
  const logs: ContainerLog[] = [];
  for (const pod of pods.list()) {
    const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = pod.status ?? {};
    for (const list of [containerStatuses, initContainerStatuses, ephemeralContainerStatuses]) {
      for (const { name, restartCount, containerID = "", state } of list ?? []) {
        const [, id = ""] = containerID.split("://");
        if (!state?.running || id === "") continue;
        logs.push({ id, path: join(podLogDirectory(podLogs, pod), containerLogPath(name, restartCount)) });
      }
    }
  }
  return logs;
}
