/**
 * Tells in a pod's status why it has no node, and which it is nominated to. Written only where that changes, the latest
 * alone of what waits to be written, and a few at a time: binding goes first.
 */

import { podCondition } from "../api/core/pod/state.ts";
import { Pod } from "../api/core/pods.ts";
import type { PodCondition } from "../api/schema/core.v1.generated.ts";
import type { Clock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import { isReason } from "../client/status.ts";
import { formatTime } from "../machinery/time/time.ts";

export interface PodStatusChange {
  reason: "Unschedulable" | "SchedulerError";
  message: string;
  /** Undefined leaves the nomination be, "" takes it away. */
  nominate: string | undefined;
}

export interface StatusWriterOptions {
  client: Client;
  clock: Clock;
  failed: (pod: Pod, error: unknown) => void;
}

const AT_ONCE = 4;

export class StatusWriter {
  private readonly options: StatusWriterOptions;
  /** By uid, the first to be written first. */
  private readonly waiting = new Map<string, { pod: Pod; change: PodStatusChange }>();
  private readonly writing = new Set<Promise<void>>();

  constructor(options: StatusWriterOptions) {
    this.options = options;
  }

  write(pod: Pod, change: PodStatusChange): void {
    const uid = pod.metadata.uid ?? "";
    const nominate = change.nominate ?? this.waiting.get(uid)?.change.nominate;
    this.waiting.set(uid, { pod, change: { ...change, nominate } });
    this.next();
  }

  /** The pod is bound or gone: nothing of what waits is true any more. */
  drop(uid: string): void {
    this.waiting.delete(uid);
  }

  /** Resolves when what is being written is written; what waits is dropped. */
  async close(): Promise<void> {
    this.waiting.clear();
    await Promise.all(this.writing);
  }

  private next(): void {
    while (this.writing.size < AT_ONCE) {
      const [first] = this.waiting;
      if (!first) return;
      const [uid, { pod, change }] = first;
      this.waiting.delete(uid);
      const patch = patchOf(pod, change, this.options.clock.now());
      if (!patch) continue;
      const written = this.send(pod, patch).finally(() => {
        this.writing.delete(written);
        this.next();
      });
      this.writing.add(written);
    }
  }

  private async send(pod: Pod, patch: object): Promise<void> {
    const { namespace = "", name = "" } = pod.metadata;
    try {
      const pods = this.options.client.resource(Pod, namespace);
      await pods.patch(name, patch, { type: "strategic", subresource: "status" });
    } catch (error) {
      // It went, or another of its name came.
      if (!isReason(error, "NotFound", "Conflict", "Invalid")) this.options.failed(pod, error);
    }
  }
}

/** Undefined where the pod says so already. */
export function patchOf(pod: Pod, change: PodStatusChange, now: number): object | undefined {
  const { reason, message, nominate } = change;
  const { uid, generation } = pod.metadata;
  const status: { conditions?: PodCondition[]; nominatedNodeName?: string | null } = {};
  const had = podCondition(pod, "PodScheduled");
  if (
    had?.status !== "False" ||
    had.reason !== reason ||
    had.message !== message ||
    (generation !== undefined && had.observedGeneration !== generation)
  ) {
    const since = had?.status === "False" ? had.lastTransitionTime : undefined;
    const lastTransitionTime = since ?? formatTime(now);
    const condition: PodCondition = {
      type: "PodScheduled",
      status: "False",
      reason,
      message,
      lastTransitionTime,
    };
    if (generation !== undefined) condition.observedGeneration = generation;
    status.conditions = [condition];
  }
  if (nominate !== undefined && nominate !== (pod.status?.nominatedNodeName ?? "")) {
    status.nominatedNodeName = nominate === "" ? null : nominate;
  }
  if (!status.conditions && status.nominatedNodeName === undefined) return undefined;
  return { metadata: { uid }, status };
}
