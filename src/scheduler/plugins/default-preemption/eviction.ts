/** Makes the victims leave. */
import { Pod } from "../../../api/core/pods.ts";
import type { PodCondition } from "../../../api/schema/core.v1.generated.ts";
import { isReason } from "../../../client/status.ts";
import type { PluginContext } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";

export const CONDITION = "DisruptionTarget";
export const REASON = "PreemptionByScheduler";

/** Milliseconds before a request that failed is sent again; each time twice as long. */
const FIRST_WAIT = 100;
const TRIES = 6;

function disruptionTarget(preemptor: Pod, victim: Pod, now: number): PodCondition {
  const { generation } = victim.metadata;
  const condition: PodCondition = {
    type: CONDITION,
    status: "True",
    reason: REASON,
    message: `${preemptor.spec?.schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
  };
  if (generation !== undefined) condition.observedGeneration = generation;
  return condition;
}

function isMarked(victim: Pod): boolean {
  return (
    victim.status?.conditions?.some(
      ({ type, status, reason }) => type === CONDITION && status === "True" && reason === REASON,
    ) ?? false
  );
}

/** Whether the pod is on its way out because the scheduler wanted it to be. */
export function isBeingPreempted(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && isMarked(pod);
}

/** The pod is gone already, or another has its name now. */
function isGone(error: unknown): boolean {
  return isReason(error, "NotFound", "Conflict");
}

export class Evictions {
  private readonly context: PluginContext;

  constructor(context: PluginContext) {
    this.context = context;
  }

  /** Resolves when the server has taken all deletions; rejects where it did not take one after several tries. */
  async evict(victims: readonly PodInfo[], preemptor: Pod, node: string): Promise<void> {
    await Promise.all(victims.map(({ pod }) => this.evictOne(pod, preemptor, node)));
  }

  /** Pods of less priority that were to get the node must look for another: their victims' room is taken. */
  async clearNominations(pods: readonly PodInfo[]): Promise<void> {
    await Promise.all(
      pods.map(({ pod }) => {
        const { namespace, name = "" } = pod.metadata;
        const patch = { status: { nominatedNodeName: null } };
        return this.again(() =>
          this.pods(namespace).patch(name, patch, { type: "merge", subresource: "status", unread: true }),
        );
      }),
    );
  }

  private async evictOne(victim: Pod, preemptor: Pod, node: string): Promise<void> {
    const { clock, events } = this.context;
    const { namespace, name = "", uid } = victim.metadata;
    if (victim.metadata.deletionTimestamp === undefined) {
      if (!isMarked(victim)) {
        const conditions = [disruptionTarget(preemptor, victim, clock.now())];
        const patch = { metadata: { uid }, status: { conditions } };
        await this.again(() =>
          this.pods(namespace).patch(name, patch, { type: "strategic", subresource: "status", unread: true }),
        );
      }
      await this.again(() => this.pods(namespace).delete(name, { preconditions: { uid }, unread: true }));
    }
    const note = `Preempted by pod ${preemptor.metadata.uid} on node ${node}`;
    events.record(victim, "Normal", "Preempted", note, { action: "Preempting", related: preemptor });
  }

  private pods(namespace: string | undefined) {
    return this.context.client.resource(Pod, namespace);
  }

  private async again(request: () => Promise<unknown>): Promise<void> {
    for (let left = TRIES - 1, pause = FIRST_WAIT; ; left--, pause *= 2) {
      try {
        await request();
        return;
      } catch (error) {
        if (isGone(error)) return;
        if (left === 0) throw error;
        await new Promise<void>((resolve) => this.context.clock.setTimer(pause, resolve));
      }
    }
  }
}
