/**
 * Watches over the health of nodes (upstream: pkg/controller/nodelifecycle). Keys:
 *
 *   <node>        conditions of a lost node, taints and labels that follow from its status
 *   pods/<node>   the pods of a node that is not ready leave service
 *   zone/<zone>   the next of the zone's unhealthy nodes gets the taint that drives its pods away
 */

import { Lease } from "../../api/coordination/lease.ts";
import { Node } from "../../api/core/node.ts";
import { isPodReady } from "../../api/core/pod/state.ts";
import { Pod } from "../../api/core/pods.ts";
import { steadyTime } from "../../base/clock.ts";
import type { Amount, Family } from "../../base/metrics/metric-set.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { nodeCondition } from "../nodes/node-condition.ts";
import { recordNodeEvent, recordNodeStatusChange } from "../nodes/node-events.ts";
import { changedTaints, patchNode } from "../nodes/taints.ts";
import { type ControllerContext, defineController, input } from "../runtime/controller.ts";
import { Heartbeats, lostConditions } from "./heartbeats.ts";
import { markNotReady } from "./pods-not-ready.ts";
import { labelChange, noExecuteChange, noScheduleChange } from "./wanted.ts";
import { Zones } from "./zones.ts";

type Inputs = { nodes: Node; leases: Lease; pods: Pod };
type Listers = { readonly [N in keyof Inputs]: Lister<Inputs[N]> };

const LEASES = { namespace: "kube-node-lease" };
const PODS = "pods/";
const ZONE = "zone/";
/** Nodes that are lost together are counted before the first of them is tainted. */
const TAINT_AFTER_MS = 100;

export const nodeLifecycleController = defineController<Inputs>({
  name: "node-lifecycle-controller",
  account: "node-controller",
  eventSource: "node-controller",
  queue: "node_lifecycle_controller",
  workers: 8,
  inputs: {
    nodes: input(Node, ({ key }) => [key]),
    leases: input(Lease, () => [], LEASES),
    pods: input(Pod, podKeys, undefined, { nodeName: ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []) }),
  },
  start(context, listers) {
    const controller = new NodeLifecycle(context, listers);
    return (key) => controller.reconcile(key);
  },
});

/** A pod that is in service on a node where the controller did not see it before. */
function podKeys({ now, was }: { now?: Pod; was?: Pod }): readonly string[] {
  const node = now?.spec?.nodeName;
  return node && was?.spec?.nodeName !== node && isPodReady(now) ? [PODS + node] : [];
}

class NodeLifecycle {
  private readonly context: ControllerContext;
  private readonly listers: Listers;
  private readonly heartbeats = new Heartbeats();
  private readonly zones = new Zones();
  private readonly evictions: Family<Amount>;
  /** Nodes are no longer silent by it where somebody sets the clock. */
  private readonly time: () => number;
  /** The uid of each node that was made known. */
  private readonly registered = new Map<string, string | undefined>();

  constructor(context: ControllerContext, listers: Listers) {
    this.context = context;
    this.listers = listers;
    const { informers, clock, metrics } = context;
    this.time = steadyTime(clock);
    this.evictions = metrics.counter(
      "node_collector_evictions_total",
      "[STABLE] Number of Node evictions that happened since current instance of NodeController started.",
      ["zone"],
    );
    informers.of(Node).subscribe(({ key, now }) => {
      if (now) {
        this.heartbeats.sawNode(now, this.time());
        this.zones.sawNode(now);
      } else {
        this.heartbeats.forgetNode(key);
        this.zones.forget(key);
      }
    });
    informers.of(Lease, LEASES).subscribe(({ now, was }) => {
      const name = (now ?? was)!.metadata.name!;
      if (now) this.heartbeats.sawLease(name, now.spec?.renewTime, this.time());
      else this.heartbeats.forgetLease(name);
    });
  }

  reconcile(key: string): Promise<WorkResult> {
    if (key.startsWith(PODS)) return this.reconcilePods(key.slice(PODS.length));
    this.settle();
    return key.startsWith(ZONE)
      ? this.reconcileZone(key.slice(ZONE.length))
      : this.reconcileNode(key, this.listers.nodes.get("", key));
  }

  private settle(): void {
    const { again } = this.context;
    const now = this.time();
    const { turn, changed } = this.zones.settle(now);
    if (changed) for (const zone of this.zones.busy) again(ZONE + zone);
    if (!turn) return;
    if (turn === "left") this.heartbeats.forgive(now);
    for (const { metadata } of this.listers.nodes.list()) again(metadata.name!);
  }

  private async reconcileNode(name: string, node: Node | undefined): Promise<WorkResult> {
    this.register(name, node);
    if (!node) return undefined;
    const left = this.heartbeats.deadline(name) - this.time();
    // Upstream takes a node for lost when more than the grace period has passed.
    if (left < 0 && (await this.markLost(node))) return undefined;
    await this.applyWanted(node);
    return left >= 0 && lostConditions(node, 0) ? { after: left + 1 } : undefined;
  }

  private register(name: string, node: Node | undefined): void {
    const { events } = this.context;
    const uid = node?.metadata.uid;
    const known = this.registered.has(name);
    const before = this.registered.get(name);
    if (known && (!node || before !== uid)) {
      this.registered.delete(name);
      recordNodeEvent(events, { name, uid: before }, "RemovingNode", `Removing Node ${name} from Controller`);
    }
    if (!node || this.registered.has(name)) return;
    this.registered.set(name, uid);
    recordNodeEvent(events, { name, uid }, "RegisteredNode", `Registered Node ${name} in Controller`);
  }

  /** Whether the node's status was written; what follows from it is done when it is seen. */
  private async markLost(node: Node): Promise<boolean> {
    const { client, clock, events, again } = this.context;
    const conditions = lostConditions(node, clock.now());
    if (!conditions) return false;
    const wasReady = nodeCondition(node, "Ready")?.status === "True";
    await client.resource(Node).updateStatus({ ...node, status: { ...node.status, conditions } });
    if (!wasReady) return true;
    const { name = "", uid } = node.metadata;
    recordNodeStatusChange(events, { name, uid }, "NodeNotReady");
    again(PODS + name);
    return true;
  }

  private async applyWanted(node: Node): Promise<void> {
    const { client, clock, again } = this.context;
    const { name = "" } = node.metadata;
    const noSchedule = noScheduleChange(node);
    const noExecute = noExecuteChange(node, this.zones.allDown);
    if (noExecute.inTurn) again(ZONE + this.zones.wait(name), TAINT_AFTER_MS);
    else this.zones.doNotWait(name);
    const add = [...noSchedule.add, ...noExecute.add];
    const remove = [...noSchedule.remove, ...noExecute.remove];
    const taints =
      add.length + remove.length > 0
        ? changedTaints(node.spec?.taints, add, remove, formatTime(clock.now()))
        : undefined;
    const labels = labelChange(node);
    if (taints || labels) await patchNode(client, node, { taints, labels });
  }

  private async reconcileZone(zone: string): Promise<WorkResult> {
    const { client, clock } = this.context;
    const { names, pace } = this.zones.waiting(zone);
    for (const name of names) {
      const node = this.listers.nodes.get("", name);
      const taint = node && noExecuteChange(node, this.zones.allDown).inTurn;
      if (!node || !taint) {
        this.zones.doNotWait(name);
        continue;
      }
      if (!pace.take(this.time())) break;
      const taints = changedTaints(node.spec?.taints, [taint], [], formatTime(clock.now()));
      await patchNode(client, node, { taints });
      this.evictions.of(zone).add();
      this.zones.doNotWait(name);
    }
    const wait = names.size > 0 ? pace.wait(this.time()) : undefined;
    return wait === undefined ? undefined : { after: wait };
  }

  private async reconcilePods(name: string): Promise<WorkResult> {
    const { client, clock, events } = this.context;
    const node = this.listers.nodes.get("", name);
    const ready = node && nodeCondition(node, "Ready")?.status;
    if (ready === undefined || ready === "True") return undefined;
    const pods = this.listers.pods.by("nodeName", name);
    try {
      await markNotReady(pods, { client, events, now: clock.now() });
    } catch (error) {
      if (!isReason(error, "Conflict")) throw error;
      return { after: TAINT_AFTER_MS };
    }
    return undefined;
  }
}
