/** What the kubelet tells of one container. */
import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  ContainerUser,
  ResourceRequirements,
  VolumeMountStatus,
} from "../../api/schema/core.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { stopSignalName } from "../pods/config/container-config.ts";
import type { ContainerKind, Waiting } from "../pods/pod-plan.ts";
import type { ContainerRecord } from "../pods/runtime-state.ts";

export interface ContainerFindings {
  container: Container;
  kind: ContainerKind;
  /** Whether it is an init container that goes on running. */
  sidecar: boolean;
  /** Of this container, the newest first. */
  records: readonly ContainerRecord[];
  /** The one that was removed so that all containers begin anew. */
  former?: ContainerRecord | undefined;
  /** What was told of it last. */
  told: ContainerStatus | undefined;
  /** Why it cannot start, or start again, now. */
  waiting: Waiting | undefined;
  /** What it waits for where nothing is wrong: ContainerCreating or PodInitializing. */
  usualWait: string;
  started: boolean;
  ready: boolean;
  /** Of the records that ended, by their ids. */
  messageOf(record: ContainerRecord): string;
  /** What it runs with. */
  actual: ResourceRequirements | undefined;
  /** `containerd`, as ids are written: `containerd://…` */
  runtimeName: string;
  /** Nothing of the pod runs, nor will. */
  podIsOver: boolean;
  /** Whether anybody tried to start it. */
  begun: boolean;
}

const UNKNOWN = "ContainerStatusUnknown";
const KILLED = 137;

export function containerStatus(findings: ContainerFindings): ContainerStatus {
  const { container, kind, records, told, runtimeName, sidecar } = findings;
  const [newest] = records;
  const state = stateOf(findings);
  const lastState = lastStateOf(findings, state);
  const user = newest?.user;
  const stopSignal = newest && newest.stopSignal > 0 ? stopSignalName(newest.stopSignal) : undefined;
  const { resources } = container;
  const counted = kind === "container" || sidecar;
  return {
    name: container.name,
    state,
    lastState,
    ready: isReady(findings, state),
    restartCount: newest?.restartCount ?? findings.former?.restartCount ?? restartsLost(findings),
    image: newest?.image || told?.image || (container.image ?? ""),
    imageID: newest?.imageRef ?? told?.imageID ?? "",
    ...(newest ? { containerID: `${runtimeName}://${newest.id}` } : keptID(told)),
    ...(kind === "ephemeral" ? {} : { started: state.running !== undefined && findings.started }),
    ...(counted && resources?.requests ? { allocatedResources: resources.requests } : {}),
    ...(kind === "ephemeral" ? {} : { resources: { ...(findings.actual ?? resources), claims: undefined } }),
    ...mountsOf(container, newest),
    ...(user ? { user: { linux: userOf(user) } } : {}),
    ...(stopSignal === undefined ? {} : { stopSignal }),
  };
}

function keptID(told: ContainerStatus | undefined): { containerID?: string } {
  return told?.containerID ? { containerID: told.containerID } : {};
}

function stateOf(findings: ContainerFindings): ContainerState {
  const { records, former, told, waiting, usualWait, podIsOver, begun } = findings;
  const [newest] = records;
  if (newest?.state === "running") return { running: { startedAt: formatTime(newest.startedAt) } };
  if (podIsOver) {
    if (newest?.state === "exited") return { terminated: terminatedOf(findings, newest) };
    if (told?.state?.terminated) return { terminated: told.state.terminated };
    if (begun) {
      return { terminated: lost("The container could not be located when the pod was terminated") };
    }
  }
  if (waiting) return { waiting };
  if (newest?.state === "exited") return { terminated: terminatedOf(findings, newest) };
  if (newest?.state === "unknown") {
    return { terminated: lost("The container could not be located when the pod was terminated") };
  }
  // The runtime forgot it after it had ended: its last word stands.
  if (!newest && !former && told?.state?.terminated) return { terminated: told.state.terminated };
  return { waiting: { reason: usualWait } };
}

function lastStateOf(findings: ContainerFindings, state: ContainerState): ContainerState {
  const { records, former, told } = findings;
  const [newest, before = former] = records;
  if (state.waiting && newest?.state === "exited") return { terminated: terminatedOf(findings, newest) };
  if (before?.state === "exited") return { terminated: terminatedOf(findings, before) };
  if (!newest && told?.state?.running) {
    return {
      terminated: lost(
        "The container could not be located when the pod was deleted.  The container used to be Running",
      ),
    };
  }
  return told?.lastState ?? {};
}

/** Of a container that the runtime does not know: one that ran is started anew. */
function restartsLost({ told }: ContainerFindings): number {
  if (!told) return 0;
  return told.state?.running ? told.restartCount + 1 : told.restartCount;
}

function lost(message: string): ContainerStateTerminated {
  return { exitCode: KILLED, reason: UNKNOWN, message };
}

function terminatedOf(findings: ContainerFindings, record: ContainerRecord): ContainerStateTerminated {
  const message = findings.messageOf(record);
  const reason = record.reason || (record.exitCode === 0 ? "Completed" : "Error");
  return {
    exitCode: record.exitCode,
    reason,
    ...(message === "" ? {} : { message }),
    startedAt: record.startedAt > 0 ? formatTime(record.startedAt) : undefined,
    finishedAt: record.finishedAt > 0 ? formatTime(record.finishedAt) : undefined,
    containerID: `${findings.runtimeName}://${record.id}`,
  };
}

function isReady({ kind, sidecar, started, ready }: ContainerFindings, state: ContainerState): boolean {
  if (kind === "ephemeral") return false;
  if (kind === "init" && !sidecar) return state.terminated?.exitCode === 0;
  return state.running !== undefined && started && ready;
}

/** A read-only mount tells whether what is mounted below is so too: the runtime has it from when the container was made. */
function mountsOf(
  { volumeMounts = [] }: Container,
  record: ContainerRecord | undefined,
): { volumeMounts?: VolumeMountStatus[] } {
  if (volumeMounts.length === 0) return {};
  const below = new Set(
    record?.mounts.filter((mount) => mount.recursiveReadOnly).map(({ containerPath }) => containerPath),
  );
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly }) => {
      if (!readOnly) return { name, mountPath };
      const absolute = mountPath.startsWith("/") ? mountPath : `/${mountPath}`;
      return { name, mountPath, readOnly, recursiveReadOnly: below.has(absolute) ? "Enabled" : "Disabled" };
    }),
  };
}

function userOf({
  uid,
  gid,
  supplementalGroups,
}: NonNullable<ContainerRecord["user"]>): NonNullable<ContainerUser["linux"]> {
  return { uid, gid, ...(supplementalGroups.length > 0 ? { supplementalGroups } : {}) };
}
