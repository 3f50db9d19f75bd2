/**
 * Removes pods that nobody else will: those of nodes that are gone or out of service, those that were never bound and
 * are to go, and the oldest of those that ended where they become too many (upstream: pkg/controller/podgc).
 */
import { Node } from "../../api/core/node.ts";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import { Pod } from "../../api/core/pods.ts";
import type { Change } from "../../client/informer/informer.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { nodeName } from "../workloads/indexes.ts";
import { hasOrphans, isOutOfService, isSettled, surplus } from "./choose-pods.ts";

type Inputs = { nodes: Node; pods: Pod };

/** How many pods that ended are kept. */
const KEPT = 12_500;
/** A node that is gone may come back under its name: its pods wait so many milliseconds. */
const QUARANTINE = 40_000;
/** Ended pods are counted so often at most. */
const COUNT_EVERY = 20_000;
const ENDED = "ended";
const ORPHANED = {
  type: "DisruptionTarget",
  status: "True",
  reason: "DeletionByPodGC",
  message: "PodGC: node no longer exists",
};

/** `node:name`: look after the pods of a node. `pod:namespace/name`: a pod without one. `ended`: count those. */
function keysOfPod({ key, now, was }: Change<Pod>): string[] {
  if (!now) return [];
  const keys: string[] = [];
  if (hasPodEnded(now) && !(was && hasPodEnded(was))) keys.push(ENDED);
  const node = now.spec?.nodeName;
  const leaves = now.metadata.deletionTimestamp !== undefined;
  if (node && (leaves || was?.spec?.nodeName !== node)) keys.push(`node:${node}`);
  if (!node && leaves) keys.push(`pod:${key}`);
  return keys;
}

function keysOfNode({ now, was }: Change<Node>): string[] {
  if (now && was && !isOutOfService(now)) return [];
  return [`node:${(now ?? was)!.metadata.name}`];
}

class PodGarbageCollector {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  /** Since when nodes are known to be missing. */
  private readonly missing = new Map<string, number>();
  private counted = Number.NEGATIVE_INFINITY;

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
  }

  async reconcile(key: string): Promise<WorkResult> {
    if (key === ENDED) return this.trimEnded();
    if (key.startsWith("node:")) return this.reconcileNode(key.slice("node:".length));
    const { namespace, name } = splitKey(key.slice("pod:".length));
    const pod = this.listers.pods.get(namespace, name);
    if (pod?.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName) await this.remove(pod);
    return undefined;
  }

  private async trimEnded(): Promise<WorkResult> {
    const now = this.context.clock.now();
    if (this.listers.pods.size <= KEPT) return undefined;
    if (now < this.counted + COUNT_EVERY) return { after: this.counted + COUNT_EVERY - now };
    this.counted = now;
    for (const pod of surplus(this.listers.pods.by("ended", "true"), KEPT)) await this.remove(pod);
    return undefined;
  }

  private async reconcileNode(name: string): Promise<WorkResult> {
    const { nodes, pods } = this.listers;
    const node = nodes.get("", name);
    if (node) {
      this.missing.delete(name);
      if (!isOutOfService(node)) return undefined;
      for (const pod of pods.by("nodeName", name)) {
        if (pod.metadata.deletionTimestamp !== undefined) await this.remove(pod);
      }
      return undefined;
    }
    if (!hasOrphans(pods.by("nodeName", name))) {
      this.missing.delete(name);
      return undefined;
    }
    const now = this.context.clock.now();
    const since = this.missing.get(name) ?? now;
    this.missing.set(name, since);
    if (now < since + QUARANTINE) return { after: since + QUARANTINE - now };
    if (await this.exists(name)) return undefined;
    const condition = { ...ORPHANED, lastTransitionTime: formatTime(now) };
    for (const pod of pods.by("nodeName", name)) await this.remove(pod, condition);
    return undefined;
  }

  /** The picture may be late: only the server knows. */
  private async exists(node: string): Promise<boolean> {
    try {
      await this.context.client.resource(Node).get(node);
      return true;
    } catch (error) {
      if (isReason(error, "NotFound")) return false;
      throw error;
    }
  }

  /** Says that the pod failed, since no kubelet will, and deletes it at once. */
  private async remove(
    pod: Pod,
    condition?: typeof ORPHANED & { lastTransitionTime: string },
  ): Promise<void> {
    if (isSettled(pod)) return;
    const { namespace, name = "", uid, generation } = pod.metadata;
    const pods = this.context.client.resource(Pod, namespace);
    const conditions = condition && [{ ...condition, ...(generation && { observedGeneration: generation }) }];
    try {
      if (!hasPodEnded(pod)) {
        const status = { phase: "Failed", ...(conditions && { conditions }) };
        await pods.patch(name, { metadata: { uid }, status }, { type: "strategic", subresource: "status" });
      }
      await pods.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
}

export const podGarbageCollectorController = defineController<Inputs>({
  name: "pod-garbage-collector-controller",
  account: "pod-garbage-collector",
  queue: "orphaned_pods_nodes",
  inputs: {
    nodes: input(Node, keysOfNode),
    pods: input(Pod, keysOfPod, undefined, {
      nodeName,
      ended: (pod) => (hasPodEnded(pod) ? ["true"] : []),
    }),
  },
  start(context, listers) {
    const collector = new PodGarbageCollector(context, listers);
    return (key) => collector.reconcile(key);
  },
});
