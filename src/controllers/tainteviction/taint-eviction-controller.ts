/**
 * Deletes the pods that do not bear the NoExecute taints of their node, at the moment they stop to (upstream:
 * pkg/controller/tainteviction). The key is the node's name.
 *
 *   tainted ──▶ due at first sight + tolerationSeconds ──▶ deleted
 *                        └── no such taint left, or all borne for ever: cancelled
 *
 * A pod's moment stays the same when one taint is swapped for another: a node that goes from unreachable to not ready
 * and back gains nothing by it.
 */
import { Node } from "../../api/core/node.ts";
import { podCondition } from "../../api/core/pod/state.ts";
import { Pod } from "../../api/core/pods.ts";
import type { Change } from "../../client/informer/informer.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { type ControllerContext, defineController, input } from "../runtime/controller.ts";
import { bearsFor, noExecuteTaints, sameTaints, sameTolerations } from "./departure.ts";

type Inputs = { nodes: Node; pods: Pod };
type Listers = { readonly [N in keyof Inputs]: Lister<Inputs[N]> };

const REASON = "TaintManagerEviction";
const NONE: readonly string[] = Object.freeze([]);

export const taintEvictionController = defineController<Inputs>({
  name: "taint-eviction-controller",
  account: "node-controller",
  queue: "noexec_taint_node",
  workers: 8,
  inputs: {
    nodes: input(Node, nodeKeys),
    pods: input(Pod, podKeys, undefined, { nodeName: ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []) }),
  },
  start(context, listers) {
    const evictions = new TaintEviction(context, listers);
    return (node) => evictions.reconcile(node);
  },
});

function nodeKeys({ key, now, was }: Change<Node>): readonly string[] {
  return now && was && sameTaints(now.spec?.taints, was.spec?.taints) ? NONE : [key];
}

function podKeys({ now, was }: Change<Pod>): readonly string[] {
  const node = (now ?? was)!.spec?.nodeName;
  if (!node) return NONE;
  const same = now && was?.spec?.nodeName === node;
  return same && sameTolerations(now.spec?.tolerations, was?.spec?.tolerations) ? NONE : [node];
}

class TaintEviction {
  private readonly context: ControllerContext;
  private readonly listers: Listers;
  /** When the pods of a node are due, by uid. */
  private readonly due = new Map<string, Map<string, { at: number; pod: Pod }>>();

  constructor(context: ControllerContext, listers: Listers) {
    this.context = context;
    this.listers = listers;
  }

  async reconcile(name: string): Promise<WorkResult> {
    const taints = noExecuteTaints(this.listers.nodes.get("", name)?.spec?.taints);
    const before = this.due.get(name);
    if (taints.length === 0) {
      this.due.delete(name);
      for (const uid of before?.keys() ?? []) this.cancelled(name, before!.get(uid)!.pod);
      return undefined;
    }
    const now = this.context.clock.now();
    const due = new Map<string, { at: number; pod: Pod }>();
    for (const pod of this.listers.pods.by("nodeName", name)) {
      if (pod.metadata.deletionTimestamp !== undefined) continue;
      const { uid = "" } = pod.metadata;
      const ms = bearsFor(taints, pod.spec?.tolerations);
      const known = before?.get(uid);
      if (ms === undefined) {
        if (known) this.recordCancel(known.pod);
      } else due.set(uid, { at: ms === 0 ? now : (known?.at ?? now + ms), pod });
    }
    this.due.set(name, due);
    await this.evict([...due.values()].filter(({ at }) => at <= now).map(({ pod }) => pod));
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of due.values()) if (at > now && at < next) next = at;
    return next === Number.POSITIVE_INFINITY ? undefined : { after: next - now };
  }

  /** Only of pods that are still there. */
  private cancelled(node: string, pod: Pod): void {
    const { namespace = "", name = "", uid } = pod.metadata;
    const now = this.listers.pods.get(namespace, name);
    if (now?.metadata.uid !== uid || now?.metadata.deletionTimestamp !== undefined) return;
    if (now?.spec?.nodeName === node) this.recordCancel(pod);
  }

  private recordCancel(pod: Pod): void {
    const { namespace, name } = pod.metadata;
    this.context.events.record(pod, "Normal", REASON, `Cancelling deletion of Pod ${namespace}/${name}`);
  }

  /** Throws the first failure after all were tried. */
  private async evict(pods: readonly Pod[]): Promise<void> {
    const results = await Promise.allSettled(pods.map((pod) => this.evictOne(pod)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  private async evictOne(pod: Pod): Promise<void> {
    const { client, clock, events } = this.context;
    const { namespace, name = "", uid, generation } = pod.metadata;
    const pods = client.resource(Pod, namespace);
    events.record(pod, "Normal", REASON, `Marking for deletion Pod ${namespace}/${name}`);
    try {
      if (podCondition(pod, "DisruptionTarget")?.reason !== "DeletionByTaintManager") {
        const condition = {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByTaintManager",
          message: "Taint manager: deleting due to NoExecute taint",
          lastTransitionTime: formatTime(clock.now()),
          ...(generation && { observedGeneration: generation }),
        };
        const patch = { metadata: { uid }, status: { conditions: [condition] } };
        await pods.patch(name, patch, { type: "strategic", subresource: "status" });
      }
      await pods.delete(name, { preconditions: { uid } });
    } catch (error) {
      // Gone, or another of that name.
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
}
