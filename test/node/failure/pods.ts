/** Pods of a test node, and what is told of them. */
import { Pod } from "../../../src/api/core/pods.ts";
import { Event } from "../../../src/api/events/event.ts";
import type { PodSpec } from "../../../src/api/schema/core.v1.generated.ts";
import { until } from "../../scenario/until.ts";
import type { TestNode } from "../harness/test-node.ts";

/** Ends at once when it is told to. */
export const WAIT = "trap 'exit 0' TERM; while :; do sleep 1 & wait; done";

export function runScript(node: TestNode, name: string, script: string, spec: Partial<PodSpec> = {}) {
  return node.client.resource(Pod, "default").create({
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [{ name: "c", image: node.images.busybox, command: ["/bin/sh", "-c", script] }],
      ...spec,
    },
  });
}

/** Waits until it is so. */
export async function podWhere(node: TestNode, name: string, is: (pod: Pod) => boolean): Promise<Pod> {
  return (await until(node.client.resource(Pod, "default"), name, (pod) => pod !== undefined && is(pod)))!;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
}

export function containerOf({ status }: Pod): { id: string; restarts: number } {
  const [container] = status?.containerStatuses ?? [];
  return {
    id: container?.containerID?.replace("containerd://", "") ?? "",
    restarts: container?.restartCount ?? 0,
  };
}

/** Waits until each of these is the beginning of an event of a pod, `<reason> <message>`: they follow its status. */
export async function untilTold(
  { client }: TestNode,
  pod: string,
  ...beginnings: readonly string[]
): Promise<void> {
  const missing = new Set(beginnings);
  const events = client.resource(Event, "default").watch({
    fieldSelector: `involvedObject.name=${pod}`,
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  for await (const { object } of events) {
    const told = `${object.reason} ${object.message}`;
    for (const beginning of missing) if (told.startsWith(beginning)) missing.delete(beginning);
    if (missing.size === 0) return;
  }
  throw new Error(`the watch of events ended without ${[...missing]}`);
}
