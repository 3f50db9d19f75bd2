/** Which container of which pod a request means, and whether it has what is asked of it. */
import type { Container, ContainerState, ContainerStatus, Pod } from "../../api/schema/core.v1.generated.ts";
import type { RunningPods } from "../ports.ts";
import { KubeletError } from "./request.ts";

/** The pod of the name; `uid`, where given, must be its own: a later pod of the name is another one. */
export function findPod(pods: RunningPods, namespace: string, name: string, uid = ""): Pod {
  const pod = pods.get(namespace, name);
  if (!pod || (uid !== "" && pod.metadata.uid !== uid)) throw new KubeletError(404, "pod does not exist");
  return pod;
}

export function hasContainer({ spec }: Pod, name: string): boolean {
  const lists: (readonly Pick<Container, "name">[] | undefined)[] = [
    spec?.containers,
    spec?.initContainers,
    spec?.ephemeralContainers,
  ];
  return lists.some((list) => list?.some((container) => container.name === name));
}

export function statusOf({ status }: Pod, name: string): ContainerStatus | undefined {
  const lists = [
    status?.containerStatuses,
    status?.initContainerStatuses,
    status?.ephemeralContainerStatuses,
  ];
  for (const list of lists) {
    const found = list?.find((one) => one.name === name);
    if (found) return found;
  }
  return undefined;
}

/** The runtime's id out of a status' containerID, as in `containerd://4f2a…`. */
export function idOf(containerID: string | undefined): string | undefined {
  const [, id] = (containerID ?? "").split("://");
  return id || undefined;
}

/** The runtime's id of the container whose log is meant. Throws what upstream says where there is none (yet). */
export function loggedContainer(pod: Pod, name: string, previous: boolean): string {
  const podName = JSON.stringify(pod.metadata.name);
  const what = `container ${JSON.stringify(name)} in pod ${podName}`;
  const status = statusOf(pod, name);
  if (!status) throw new KubeletError(400, `${what} is not available`);
  const id = previous ? idOf(status.lastState?.terminated?.containerID) : currentLog(status);
  if (id !== undefined) return id;
  throw new KubeletError(
    400,
    previous ? `previous terminated ${what} not found` : whyNoLog(what, status.state),
  );
}

function currentLog({ state, lastState, containerID }: ContainerStatus): string | undefined {
  if (state?.running) return idOf(containerID);
  return idOf(state?.terminated?.containerID) ?? idOf(lastState?.terminated?.containerID);
}

function whyNoLog(what: string, state: ContainerState | undefined): string {
  if (state?.terminated) return `${what} is terminated`;
  const reason = state?.waiting?.reason;
  if (!state?.waiting) return `${what} is waiting to start - no logs yet`;
  if (reason === "ErrImagePull") return `${what} is waiting to start: image can't be pulled`;
  if (reason === "ImagePullBackOff") return `${what} is waiting to start: trying and failing to pull image`;
  return `${what} is waiting to start: ${reason ?? ""}`;
}
