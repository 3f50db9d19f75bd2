/** What the runtime knows of a pod: its sandboxes and containers, those of former tries too. */
import type { Received } from "../../host/grpc/messages.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { Container as ListedContainer } from "../runtime/cri/containers.ts";
import type { PodSandbox } from "../runtime/cri/sandboxes.ts";
import {
  ContainerState,
  type ContainerStatus,
  type ContainerUser,
  type LinuxContainerResources,
  type Mount,
  NamespaceMode,
  PodSandboxState,
} from "../runtime/cri/shared.ts";
import { CONTAINER_NAME, type ContainerMarks, POD_UID, readContainerMarks } from "./runtime-labels.ts";

export interface SandboxRecord {
  id: string;
  attempt: number;
  ready: boolean;
  /** Milliseconds since 1970, as all times here. */
  createdAt: number;
  /** None while it is not ready, nor in the node's network. */
  ips: readonly string[];
  hostNetwork: boolean;
}

export interface ContainerRecord extends ContainerMarks {
  id: string;
  name: string;
  sandboxID: string;
  state: "created" | "running" | "exited" | "unknown";
  createdAt: number;
  /** 0 where it never was. */
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  message: string;
  image: string;
  imageRef: string;
  logPath: string;
  mounts: readonly Received<typeof Mount>[];
  resources: LinuxContainerResources | undefined;
  user: ContainerUser["linux"];
  stopSignal: number;
}

/** The newest first, of each. */
export interface PodRuntime {
  readonly sandboxes: readonly SandboxRecord[];
  readonly containers: readonly ContainerRecord[];
  /** The last of each container, of those that were removed so that all begin anew. */
  readonly former?: readonly ContainerRecord[];
}

export const NOTHING_RUNS: PodRuntime = { sandboxes: [], containers: [] };

const STATES = new Map<number, ContainerRecord["state"]>([
  [ContainerState.CONTAINER_CREATED, "created"],
  [ContainerState.CONTAINER_RUNNING, "running"],
  [ContainerState.CONTAINER_EXITED, "exited"],
]);
const NOT_FOUND = 5;

/** Whether a call failed since what it is about is gone. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === NOT_FOUND;
}

/**
 * Reads one pod's state. What has ended never changes: `before` is what was read last, and is taken for the exited
 * containers and the sandboxes that are no longer ready.
 */
export async function readPodRuntime(
  runtime: ContainerRuntime,
  uid: string,
  before: PodRuntime = NOTHING_RUNS,
): Promise<PodRuntime> {
  const labelSelector = [[POD_UID, uid]] as const;
  const [{ items }, { containers }] = await Promise.all([
    runtime.listPodSandbox({ filter: { labelSelector } }),
    runtime.listContainers({ filter: { labelSelector } }),
  ]);
  const [sandboxes, records] = await Promise.all([
    Promise.all(items.map((listed) => readSandbox(runtime, listed, before))),
    Promise.all(containers.map((listed) => readContainer(runtime, listed, before))),
  ]);
  return {
    ...before,
    sandboxes: sandboxes.filter((record) => record !== undefined).sort(newestFirst),
    containers: records.filter((record) => record !== undefined).sort(newestFirst),
  };
}

async function readSandbox(
  runtime: ContainerRuntime,
  { id, state, createdAt, metadata }: PodSandbox,
  before: PodRuntime,
): Promise<SandboxRecord | undefined> {
  const known = before.sandboxes.find((record) => record.id === id);
  const ready = state === PodSandboxState.SANDBOX_READY;
  // Neither its addresses nor its being over ever change.
  if (known?.ready === ready) return known;
  try {
    const { status } = await runtime.podSandboxStatus({ podSandboxId: id });
    const { ip = "", additionalIps = [] } = status?.network ?? {};
    const ips = ip === "" ? [] : [ip, ...additionalIps.map((more) => more.ip)];
    const hostNetwork = status?.linux?.namespaces?.options?.network === NamespaceMode.NODE;
    const attempt = metadata?.attempt ?? 0;
    return {
      id,
      attempt,
      ready: status?.state === PodSandboxState.SANDBOX_READY,
      createdAt: createdAt / 1e6,
      ips,
      hostNetwork,
    };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function readContainer(
  runtime: ContainerRuntime,
  { id, podSandboxId, labels }: ListedContainer,
  before: PodRuntime,
): Promise<ContainerRecord | undefined> {
  const known = before.containers.find((record) => record.id === id);
  if (known?.state === "exited") return known;
  return readContainerStatus(runtime, id, podSandboxId, labels.get(CONTAINER_NAME) ?? "");
}

/** Undefined where there is no such container. */
export async function readContainerStatus(
  runtime: ContainerRuntime,
  id: string,
  sandboxID: string,
  name: string,
): Promise<ContainerRecord | undefined> {
  try {
    const { status } = await runtime.containerStatus({ containerId: id });
    return status && containerRecord(status, sandboxID, name);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function containerRecord(status: ContainerStatus, sandboxID: string, name: string): ContainerRecord {
  return {
    ...readContainerMarks(status.annotations),
    id: status.id,
    name,
    sandboxID,
    state: STATES.get(status.state) ?? "unknown",
    createdAt: status.createdAt / 1e6,
    startedAt: status.startedAt / 1e6,
    finishedAt: status.finishedAt / 1e6,
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? "",
    imageRef: status.imageRef,
    logPath: status.logPath,
    mounts: status.mounts,
    resources: status.resources?.linux,
    user: status.user?.linux,
    stopSignal: status.stopSignal,
  };
}

/** With what was made after it was read. */
export function withMade(
  runtime: PodRuntime,
  { sandbox, container }: { sandbox?: SandboxRecord; container?: ContainerRecord },
): PodRuntime {
  const { sandboxes, containers } = runtime;
  return {
    ...runtime,
    sandboxes: sandbox ? [sandbox, ...sandboxes.filter(({ id }) => id !== sandbox.id)] : sandboxes,
    containers: container ? [container, ...containers.filter(({ id }) => id !== container.id)] : containers,
  };
}

function newestFirst(a: { createdAt: number }, b: { createdAt: number }): number {
  return b.createdAt - a.createdAt;
}

export function newestOf({ containers }: PodRuntime, name: string): ContainerRecord | undefined {
  return containers.find((record) => record.name === name);
}

/** The last one that was removed so that all begin anew. */
export function formerOf({ former = [] }: PodRuntime, name: string): ContainerRecord | undefined {
  return former.find((record) => record.name === name);
}

/** The sandbox that the pod's containers run in; undefined where it needs a new one. */
export function usableSandbox({ sandboxes }: PodRuntime, hostNetwork: boolean): SandboxRecord | undefined {
  const [newest] = sandboxes;
  if (!newest?.ready || newest.hostNetwork !== hostNetwork) return undefined;
  if (!hostNetwork && newest.ips.length === 0) return undefined;
  return sandboxes.filter(({ ready }) => ready).length === 1 ? newest : undefined;
}
