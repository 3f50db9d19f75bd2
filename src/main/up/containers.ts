/** The containers of this machine's own containerd. */
import type { Layout } from "../../cluster/layout.ts";
import { killContainers } from "../../host/containerd/remove-containerd.ts";
import { containerdSocket, runningContainerd } from "../../host/containerd/supervise-containerd.ts";
import { openContainerRuntime } from "../../kubelet/runtime/container-runtime.ts";

/** Seconds that containers have to end by themselves. */
const GRACE = 10;
const RUNNING = 1;

/** How many run; undefined where containerd does not. */
export async function countContainers(layout: Layout): Promise<number | undefined> {
  if ((await runningContainerd(layout.containerd)) === undefined) return undefined;
  const runtime = openContainerRuntime(containerdSocket(layout.containerd));
  try {
    const { containers } = await runtime.listContainers({ filter: { state: { state: RUNNING } } });
    return containers.length;
  } finally {
    runtime.close();
  }
}

/** Ends all in good order, with what the network gave them, and kills what is left. Any number of times. */
export async function endContainers(
  layout: Layout,
  { graceSeconds = GRACE }: { graceSeconds?: number } = {},
): Promise<void> {
  if ((await runningContainerd(layout.containerd)) !== undefined) {
    const runtime = openContainerRuntime(containerdSocket(layout.containerd));
    try {
      const { containers } = await runtime.listContainers({ filter: { state: { state: RUNNING } } });
      await Promise.allSettled(
        containers.map(({ id }) => runtime.stopContainer({ containerId: id, timeout: graceSeconds })),
      );
      const { items } = await runtime.listPodSandbox({});
      // One that cannot be stopped in order is killed below.
      await Promise.allSettled(
        items.map(async ({ id }) => {
          await runtime.stopPodSandbox({ podSandboxId: id }, GRACE * 1000);
          await runtime.removePodSandbox({ podSandboxId: id }, GRACE * 1000);
        }),
      );
    } catch {
      // A containerd that does not answer: nothing can be asked of it.
    } finally {
      runtime.close();
    }
  }
  await killContainers(layout.containerd);
}
