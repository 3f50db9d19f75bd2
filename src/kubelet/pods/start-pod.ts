/** Carries out what a plan wants started: the sandbox, then one container after the other. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { PodError, type PodVolumes } from "../ports.ts";
import type { CrashBackoff } from "./crash-backoff.ts";
import type { PodContext } from "./pod-context.ts";
import { recordOfPod } from "./pod-events.ts";
import { backoffKey, type ContainerStart, type PodPlan, type Waiting } from "./pod-plan.ts";
import {
  type ContainerRecord,
  newestOf,
  type PodRuntime,
  type SandboxRecord,
  usableSandbox,
} from "./runtime-state.ts";
import { PostStartError, type StartPlace, startContainer } from "./start-container.ts";
import { makeSandboxConfig, startSandbox } from "./start-sandbox.ts";

export interface PodStart {
  pod: Pod;
  plan: PodPlan;
  runtime: PodRuntime;
  backoff: CrashBackoff;
  /** Why containers cannot start, by their names: entered and removed here. */
  waiting: Map<string, Waiting>;
  signal: AbortSignal;
  /** Containers whose hook after their start is not done: entered and removed here. */
  hooked: Set<string>;
  /** Something changed that is worth telling. */
  progress(): void;
  /** The pod's volumes are there. */
  mounted(): void;
  /** The pod's only sandbox is ready. */
  networked(sandbox: SandboxRecord): void;
  /** A container runs, or ran; resolves when it is known which of both. */
  started(container: Pick<ContainerRecord, "id" | "name" | "sandboxID">): Promise<void>;
  /** The hook after its start failed: the container is to be stopped. */
  stop(containerID: string): Promise<void>;
}

type Watched = "hooked" | "started" | "target";

/** Whether all went well; what did not was told in events, and is tried again by the next plan. */
export async function startPod(context: PodContext, start: PodStart): Promise<boolean> {
  const { pod, plan, runtime, signal } = start;
  const volumes = context.volumes.setUp(pod);
  // What went wrong is told below, where the sandbox did not fail before.
  volumes.then(
    () => start.mounted(),
    () => {},
  );
  let place: Omit<StartPlace, Watched>;
  try {
    const known = usableSandbox(runtime, pod.spec?.hostNetwork === true);
    const config = await makeSandboxConfig(context, pod, plan.newSandbox?.attempt ?? known?.attempt ?? 0);
    signal.throwIfAborted();
    if (plan.newSandbox && runtime.sandboxes.length > 0) {
      const message = "Pod sandbox changed, it will be killed and re-created.";
      recordOfPod(context, pod, "Normal", "SandboxChanged", message);
    }
    const sandbox = known ?? (await startSandbox(context, pod, config, plan.newSandbox?.stale ?? []));
    if (!known && runtime.sandboxes.length > 0) start.progress();
    else if (!known) start.networked(sandbox);
    const podIPs = pod.spec?.hostNetwork ? context.hostIPs() : sandbox.ips;
    if (!known && !pod.spec?.hostNetwork) await context.networked?.(pod, podIPs);
    place = { pod, sandboxID: sandbox.id, sandboxConfig: config, podIPs, volumes, signal };
    await mounted(volumes, signal);
  } catch (error) {
    if (signal.aborted) return false;
    const { reason, message } =
      error instanceof PodError ? error : new PodError("FailedCreatePodSandBox", rpcErrorText(error));
    recordOfPod(context, pod, "Warning", reason, message);
    return false;
  }
  let good = true;
  for (const one of plan.starts) {
    if (signal.aborted) return false;
    const started = await startOne(context, start, one, place);
    good &&= started;
    if (!started && one.kind === "init") break;
  }
  return good;
}

async function mounted(volumes: Promise<PodVolumes>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([volumes, promise]);
  signal.throwIfAborted();
}

async function startOne(
  context: PodContext,
  { waiting, backoff, runtime, progress, signal, stop, hooked, started: ran }: PodStart,
  one: ContainerStart,
  place: Omit<StartPlace, Watched>,
): Promise<boolean> {
  const { container, after } = one;
  const targetName = (container as { targetContainerName?: string }).targetContainerName;
  const target = targetName ? newestOf(runtime, targetName) : undefined;
  const started = (containerID: string): Promise<void> => {
    hooked.delete(containerID);
    waiting.delete(container.name);
    return ran({ id: containerID, name: container.name, sandboxID: place.sandboxID });
  };
  try {
    const begun = (containerID: string): void => {
      hooked.add(containerID);
    };
    const given = {
      ...place,
      hooked: begun,
      started,
      ...(target ? { target: { containerID: target.id } } : {}),
    };
    await startContainer(context, one, given);
    return true;
  } catch (error) {
    if (error instanceof PostStartError) {
      await stop(error.containerID);
      hooked.delete(error.containerID);
      return false;
    }
    if (signal.aborted) return false;
    const { reason, message } = error instanceof PodError ? error : unexpected(context, place.pod, error);
    waiting.set(container.name, { reason, message });
    progress();
    return false;
  } finally {
    // Not before: a container that is being started does not wait.
    if (after) backoff.restarted(backoffKey(container), after.finishedAt, context.clock.now());
  }
}

function unexpected({ log }: PodContext, { metadata }: Pod, error: unknown): Waiting {
  const message = rpcErrorText(error);
  log("error", "a container could not be started", {
    pod: `${metadata.namespace}/${metadata.name}`,
    error: error instanceof Error ? (error.stack ?? message) : message,
  });
  return { reason: "CreateContainerError", message };
}
