import type { Container, ContainerStatus, Pod } from "../../api/schema/core.v1.generated.ts";
import { isSidecar, restartsAfter } from "../pods/restart-policy.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export interface StatusLists {
  init: readonly ContainerStatus[];
  containers: readonly ContainerStatus[];
}

export interface Course {
  /** Nothing of the pod runs nor will. */
  isOver: boolean;
  /** All its containers, however they ended, will run again. */
  restartingAll?: boolean | undefined;
}

export function podPhase(pod: Pod, { init, containers }: StatusLists, course: Course): Phase {
  const { spec } = pod;
  const { isOver, restartingAll = false } = course;
  if (!hasBegun(containers)) {
    const failed = (spec?.initContainers ?? []).some((container, at) => {
      const exit = exitOf(init[at]);
      return (
        !isSidecar(container) && exit !== undefined && exit !== 0 && !restartsAfter(pod, container, exit)
      );
    });
    if (failed && !restartingAll) return "Failed";
    if (!isOver) return "Pending";
  }
  const all = spec?.containers ?? [];
  const ends = all.map((_, at) => exitOf(containers[at]));
  if (!isOver && containers.some(({ state, lastState }) => state?.waiting && !lastState?.terminated)) {
    return "Pending";
  }
  if (containers.some(({ state }) => state?.running)) return "Running";
  if (restartingAll && !isOver) return "Running";
  if (!isOver && all.some((container, at) => mayRestart(pod, container, ends[at]))) return "Running";
  return ends.every((exit) => exit === 0) ? "Succeeded" : "Failed";
}

/** Whether a container, other than those of the beginning, ever ran. */
function hasBegun(containers: readonly ContainerStatus[]): boolean {
  return containers.some(
    ({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated,
  );
}

function exitOf(status: ContainerStatus | undefined): number | undefined {
  return status?.state?.terminated?.exitCode;
}

function mayRestart(pod: Pod, container: Container, exit: number | undefined): boolean {
  return exit === undefined || restartsAfter(pod, container, exit);
}
