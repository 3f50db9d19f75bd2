/** Which containers of a pod were begun at all: of those nothing is known of, they alone may have ended unseen. */
import type { Container, ContainerStatus, Pod } from "../../api/schema/core.v1.generated.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import type { PodRuntime } from "../pods/runtime-state.ts";

/**
 * Their names. Init containers are tried one after the other: all up to the last of which there is a trace, and the first
 * in any case. The others were begun where the pod was initialized.
 */
export function begunContainers({ spec, status }: Pod, { containers, former = [] }: PodRuntime): Set<string> {
  const records = [...containers, ...former];
  const leftTrace = (list: readonly ContainerStatus[] | undefined, name: string): boolean => {
    if (records.some((record) => record.name === name)) return true;
    const told = list?.find((one) => one.name === name);
    const { running, terminated } = told?.state ?? {};
    return (running ?? terminated ?? told?.lastState?.terminated) !== undefined;
  };
  const init = spec?.initContainers ?? [];
  const last = init.findLastIndex(({ name }) => leftTrace(status?.initContainerStatuses, name));
  const begun = new Set(init.slice(0, Math.max(last, 0) + 1).map(({ name }) => name));
  const succeeded = (container: Container): boolean => {
    const told = status?.initContainerStatuses?.find(({ name }) => name === container.name);
    if (isSidecar(container)) return told?.started === true;
    const ended = records.some(
      ({ name, state, exitCode }) => name === container.name && state === "exited" && exitCode === 0,
    );
    return ended || told?.state?.terminated?.exitCode === 0 || told?.lastState?.terminated?.exitCode === 0;
  };
  const [end] = init.slice(-1);
  const all = spec?.containers ?? [];
  const initialized =
    !end || succeeded(end) || all.some(({ name }) => leftTrace(status?.containerStatuses, name));
  if (initialized) for (const { name } of all) begun.add(name);
  return begun;
}
