/** Removes what has ended: all but the last of each container, whose log users may still read. */
import { rm } from "node:fs/promises";
import { posix } from "node:path";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodContext } from "./pod-context.ts";
import { podLogDirectory } from "./pod-name.ts";
import type { ContainerRecord, PodRuntime, SandboxRecord } from "./runtime-state.ts";
import { containerLogLink } from "./start-container.ts";

export interface Remains {
  containers: ContainerRecord[];
  sandboxes: SandboxRecord[];
}

/** Of a pod that is still there. The last sandbox stays: its number is that of tries. */
export function superfluous({ sandboxes, containers }: PodRuntime): Remains {
  const dead = new Set<string>();
  const remains: Remains = { containers: [], sandboxes: [] };
  for (const [at, record] of containers.entries()) {
    if (record.state === "running") continue;
    const isNewest = !containers.slice(0, at).some(({ name }) => name === record.name);
    // It is being started, or was when the kubelet ended: the next start follows it.
    if (record.state === "created" && isNewest) continue;
    if (dead.has(record.name) || record.state === "created") remains.containers.push(record);
    else dead.add(record.name);
  }
  for (const sandbox of sandboxes.slice(1)) {
    const used = containers.some(
      (record) => record.sandboxID === sandbox.id && !remains.containers.includes(record),
    );
    if (!sandbox.ready && !used) remains.sandboxes.push(sandbox);
  }
  return remains;
}

export async function removeRemains(
  context: PodContext,
  pod: Pod,
  { containers, sandboxes }: Remains,
): Promise<void> {
  const { runtime } = context;
  for (const record of containers) {
    await runtime.removeContainer({ containerId: record.id });
    await removeLog(context, pod, record);
  }
  for (const { id } of sandboxes) await runtime.removePodSandbox({ podSandboxId: id });
}

async function removeLog(
  { paths }: PodContext,
  pod: Pod,
  { id, name, logPath }: ContainerRecord,
): Promise<void> {
  await rm(containerLogLink(paths.containerLogs, pod, name, id), { force: true });
  if (logPath !== "") await rm(logPath, { force: true });
}

/**
 * All containers of a pod that begin anew. Their logs stay, those of `former`, which were removed so before, go: they have
 * been there for a whole life of the pod.
 */
export async function removeForReset(
  context: PodContext,
  pod: Pod,
  records: readonly ContainerRecord[],
  former: readonly ContainerRecord[],
): Promise<void> {
  for (const { id } of records) await context.runtime.removeContainer({ containerId: id });
  await Promise.all(former.map((record) => removeLog(context, pod, record)));
}

/** Everything of a pod that is gone, its logs too. */
export async function removeAll(
  context: PodContext,
  pod: Pod,
  { sandboxes, containers }: PodRuntime,
): Promise<void> {
  const { runtime, paths } = context;
  await removeRemains(context, pod, { containers: [...containers], sandboxes: [] });
  for (const { id, ready } of sandboxes) {
    if (ready) await runtime.stopPodSandbox({ podSandboxId: id });
    await runtime.removePodSandbox({ podSandboxId: id });
  }
  const { name, namespace, uid } = pod.metadata;
  if (!name || !namespace || !uid) return;
  await rm(posix.normalize(podLogDirectory(paths.podLogs, pod)), { recursive: true, force: true });
}
