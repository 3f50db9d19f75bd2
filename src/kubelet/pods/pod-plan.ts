/**
 * What is to be done for a pod that shall run, from what of it runs. The order in which containers begin:
 *
 *   sandbox → init containers one after the other, of which sidecars stay → containers
 *                                                  ephemeral containers at any time
 */
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { containerHash } from "./config/container-hash.ts";
import type { CrashBackoff } from "./crash-backoff.ts";
import { goDuration } from "./go-duration.ts";
import { podText } from "./pod-name.ts";
import { isOutdated, isSidecar, restartsAfter } from "./restart-policy.ts";
import {
  type ContainerRecord,
  formerOf,
  newestOf,
  type PodRuntime,
  type SandboxRecord,
  usableSandbox,
} from "./runtime-state.ts";

export interface PodView {
  pod: Pod;
  runtime: PodRuntime;
  now: number;
  /** Ids of the containers that are being stopped. */
  stopping: ReadonlySet<string>;
  backoff: CrashBackoff;
  /** Why a running container must be restarted, by its probes. */
  failedProbe(containerID: string): "liveness" | "startup" | undefined;
  /** Whether its startup probe, where it has one, has succeeded. */
  hasStarted(containerID: string): boolean;
}

export type ContainerKind = "init" | "container" | "ephemeral";

export interface ContainerStart {
  container: Container;
  kind: ContainerKind;
  restartCount: number;
  /** The one that ended before it. */
  after?: ContainerRecord;
}

export interface ContainerKill {
  record: ContainerRecord;
  container: Container | undefined;
  /** Told in the event Killing. */
  message: string;
  probe?: "liveness" | "startup";
}

export interface Waiting {
  reason: string;
  message: string;
}

export interface PodPlan {
  /** Undefined where the pod's sandbox serves, or none is needed any more. */
  newSandbox?: { attempt: number; stale: readonly SandboxRecord[] };
  kills: ContainerKill[];
  /** In this order, in the sandbox that is there or comes. */
  starts: ContainerStart[];
  /** Containers that have to wait before they are restarted. */
  waiting: Map<string, Waiting>;
  /** When the first of them may start. */
  wakeAt?: number;
  /** Nothing of the pod will ever run again. */
  ended: boolean;
}

export function backoffKey(container: Container): string {
  return `${container.name} ${containerHash(container)}`;
}

export function planPod(view: PodView): PodPlan {
  const { pod, runtime } = view;
  const plan: PodPlan = { kills: [], starts: [], waiting: new Map(), ended: false };
  const sandbox = usableSandbox(runtime, pod.spec?.hostNetwork === true);
  if (hasEnded(view, sandbox)) {
    plan.ended = true;
    return plan;
  }
  if (!sandbox) {
    replaceSandbox(view, plan);
    // What runs in the old one keeps the pod's address until it is gone.
    if (plan.kills.length > 0 || runtime.containers.some(({ id }) => view.stopping.has(id))) {
      delete plan.newSandbox;
      return plan;
    }
  }
  for (const container of (pod.spec?.ephemeralContainers ?? []) as Container[]) {
    const told = pod.status?.ephemeralContainerStatuses?.find(({ name }) => name === container.name);
    if (newestOf(runtime, container.name) || told?.state?.terminated) continue;
    plan.starts.push({ container, kind: "ephemeral", restartCount: 0 });
  }
  if (planInitContainers(view, sandbox, plan)) {
    for (const container of pod.spec?.containers ?? [])
      planContainer(view, container, "container", sandbox, plan);
  }
  return plan;
}

/** Whether all containers of the pod did what they were to do, or one of them failed for good. */
function hasEnded({ pod, runtime }: PodView, sandbox: SandboxRecord | undefined): boolean {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const began = containers.some(({ name }) => newestOf(runtime, name));
  if (!began) {
    return initContainers.some((container) => {
      const record = newestOf(runtime, container.name);
      if (isSidecar(container) || record?.state !== "exited" || record.exitCode === 0) return false;
      return (
        (sandbox === undefined || record.sandboxID === sandbox.id) && !restarts(pod, container, record, true)
      );
    });
  }
  return containers.every((container) => {
    const record = newestOf(runtime, container.name);
    return record?.state === "exited" && !restarts(pod, container, record, false);
  });
}

function restarts(pod: Pod, container: Container, { exitCode }: ContainerRecord, isInit: boolean): boolean {
  // An init container of a pod that always restarts its containers is done when it succeeds, like all others.
  if (isInit && exitCode === 0) return false;
  return restartsAfter(pod, container, exitCode);
}

function replaceSandbox({ pod, runtime, stopping }: PodView, plan: PodPlan): void {
  const attempt = runtime.sandboxes.reduce((highest, record) => Math.max(highest, record.attempt + 1), 0);
  plan.newSandbox = { attempt, stale: runtime.sandboxes };
  for (const record of runtime.containers) {
    if (record.state !== "running" || stopping.has(record.id)) continue;
    plan.kills.push({
      record,
      container: specOf(pod, record.name),
      message: "Pod sandbox changed, it will be killed and re-created.",
    });
  }
}

export function specOf({ spec }: Pod, name: string): Container | undefined {
  const all = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  return all.find((container) => container.name === name) as Container | undefined;
}

/** Whether the containers may begin, or have begun. */
function planInitContainers(view: PodView, sandbox: SandboxRecord | undefined, plan: PodPlan): boolean {
  const { pod, runtime } = view;
  const inSandbox = (name: string): ContainerRecord | undefined =>
    runtime.containers.find((record) => record.name === name && record.sandboxID === sandbox?.id);
  const initContainers = pod.spec?.initContainers ?? [];
  const began = (pod.spec?.containers ?? []).some(({ name }) => inSandbox(name));
  for (const container of initContainers) {
    const record = inSandbox(container.name);
    if (isSidecar(container)) {
      planContainer(view, container, "init", sandbox, plan);
      if (began) continue;
      if (record?.state !== "running" || view.stopping.has(record.id)) return false;
      if (!view.hasStarted(record.id) || plan.kills.some((kill) => kill.record === record)) return false;
    } else if (!began && !(record?.state === "exited" && record.exitCode === 0)) {
      planContainer(view, container, "init", sandbox, plan);
      return false;
    }
  }
  return true;
}

function planContainer(
  view: PodView,
  container: Container,
  kind: ContainerKind,
  sandbox: SandboxRecord | undefined,
  plan: PodPlan,
): void {
  const { pod, runtime, stopping, now, backoff } = view;
  const newest = newestOf(runtime, container.name);
  // What ended with its sandbox did not crash: it waits for nothing, and init containers begin anew.
  const crashed = newest?.state === "exited" && newest.sandboxID === sandbox?.id ? newest : undefined;
  const record = kind === "init" && newest?.sandboxID !== sandbox?.id ? undefined : newest;
  if (record?.state === "running") {
    const kill = stopping.has(record.id) ? undefined : reasonToKill(view, container, record);
    if (kill) plan.kills.push(kill);
    return;
  }
  if (
    record?.state === "exited" &&
    !restarts(pod, container, record, kind === "init" && !isSidecar(container))
  ) {
    return;
  }
  const before = newest ?? formerOf(runtime, container.name);
  const restartCount = before ? before.restartCount + 1 : restartsTold(pod, container.name);
  if (crashed) {
    const waits = backoff.waits(backoffKey(container), crashed.finishedAt, now);
    if (waits) {
      const message = `back-off ${goDuration(waits.wait)} restarting failed container=${container.name} pod=${podText(pod)}`;
      plan.waiting.set(container.name, { reason: "CrashLoopBackOff", message });
      plan.wakeAt = Math.min(plan.wakeAt ?? waits.until, waits.until);
      return;
    }
  }
  plan.starts.push({
    container,
    kind,
    restartCount,
    ...(crashed ? { after: crashed } : {}),
  });
}

/** A container of which the runtime knows nothing more, as its machine was set up anew, still counts its restarts. */
function restartsTold({ status }: Pod, name: string): number {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const told = all.find((container) => container.name === name);
  return told?.containerID ? told.restartCount + 1 : 0;
}

function reasonToKill(
  { failedProbe }: PodView,
  container: Container,
  record: ContainerRecord,
): ContainerKill | undefined {
  if (isOutdated(container, record)) {
    const message = `Container ${container.name} definition changed, will be restarted`;
    return { record, container, message };
  }
  const probe = failedProbe(record.id);
  if (!probe) return undefined;
  return {
    record,
    container,
    message: `Container ${container.name} failed ${probe} probe, will be restarted`,
    probe,
  };
}
