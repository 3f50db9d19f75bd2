/**
 * Tells in a pod's status why it has no node, and which it is nominated to. Written only where that changes, the latest
 * alone of what waits to be written: nominations a few at a time, and what only people read in the background.
 */

import { podCondition } from "../api/core/pod/state.ts";
import { Pod } from "../api/core/pods.ts";
import type { PodCondition } from "../api/schema/core.v1.generated.ts";
import type { Clock } from "../base/clock.ts";
import { inBackground } from "../client/background.ts";
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
  /** The latest of a pod; undefined where it is gone or has a node. */
  latest: (pod: Pod) => Pod | undefined;
  failed: (pod: Pod, error: unknown) => void;
}

const AT_ONCE = 4;

interface Waiting {
  pod: Pod;
  change: PodStatusChange;
}

export class StatusWriter {
  private readonly options: StatusWriterOptions;
  /** By uid, the first to be written first: nominations, and what nobody acts on. */
  private readonly urgent = new Map<string, Waiting>();
  private readonly waiting = new Map<string, Waiting>();
  private readonly writing = new Set<Promise<void>>();
  private nominating = 0;
  /** Nodes that pods are on their way to, by uid: those that the picture of the pods may not show yet. */
  private readonly expected = new Map<string, string>();

  constructor(options: StatusWriterOptions) {
    this.options = options;
  }

  write(pod: Pod, change: PodStatusChange): void {
    const uid = pod.metadata.uid ?? "";
    const known = this.urgent.get(uid) ?? this.waiting.get(uid);
    const nominate = change.nominate ?? known?.change.nominate;
    const next = { pod, change: { ...change, nominate } };
    if (nominate !== undefined && nominate !== (this.nominatedNode(pod) ?? "")) {
      this.waiting.delete(uid);
      this.urgent.set(uid, next);
      this.nominate();
      return;
    }
    this.urgent.delete(uid);
    this.waiting.set(uid, next);
    if (!known) this.follow(inBackground(() => this.send(this.waiting, uid)));
  }

  /** The pod goes to the node, which may take a while. Resolves when that is told, or could not be. */
  expect(pod: Pod, node: string): Promise<void> {
    if (this.nominatedNode(pod) === node) return Promise.resolve();
    const { namespace, name = "", uid = "" } = pod.metadata;
    this.expected.set(uid, node);
    const patch = { metadata: { uid }, status: { nominatedNodeName: node } };
    const written = this.patch(pod, namespace, name, patch);
    this.follow(written);
    return written;
  }

  private nominatedNode({ metadata, status }: Pod): string | undefined {
    return this.expected.get(metadata.uid ?? "") ?? status?.nominatedNodeName;
  }

  /** The pod is bound or gone: nothing of what waits is true any more. */
  drop(uid: string): void {
    this.expected.delete(uid);
    this.urgent.delete(uid);
    this.waiting.delete(uid);
  }

  /** Resolves when what is being written is written; what waits is dropped. */
  async close(): Promise<void> {
    this.urgent.clear();
    this.waiting.clear();
    await Promise.all(this.writing);
  }

  private nominate(): void {
    for (const uid of this.urgent.keys()) {
      if (this.nominating >= AT_ONCE) return;
      this.nominating++;
      const written = this.send(this.urgent, uid).finally(() => {
        this.nominating--;
        this.nominate();
      });
      this.follow(written);
    }
  }

  private follow(work: Promise<void>): void {
    this.writing.add(work);
    void work.finally(() => this.writing.delete(work));
  }

  private async send(from: Map<string, Waiting>, uid: string): Promise<void> {
    const waiting = from.get(uid);
    if (!waiting) return;
    from.delete(uid);
    const { pod, change } = waiting;
    const latest = this.options.latest(pod);
    const nominated = latest && this.nominatedNode(latest);
    this.expected.delete(uid);
    const patch = latest && patchOf(latest, change, this.options.clock.now(), nominated);
    if (!patch) return;
    const { namespace = "", name = "" } = pod.metadata;
    await this.patch(pod, namespace, name, patch);
  }

  private async patch(pod: Pod, namespace: string | undefined, name: string, patch: object): Promise<void> {
    try {
      const pods = this.options.client.resource(Pod, namespace);
      await pods.patch(name, patch, { type: "strategic", subresource: "status", unread: true });
    } catch (error) {
      // It went, or another of its name came.
      if (!isReason(error, "NotFound", "Conflict", "Invalid")) this.options.failed(pod, error);
    }
  }
}

/** Undefined where the pod says so already. */
export function patchOf(
  pod: Pod,
  change: PodStatusChange,
  now: number,
  nominated = pod.status?.nominatedNodeName,
): object | undefined {
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
  if (nominate !== undefined && nominate !== (nominated ?? "")) {
    status.nominatedNodeName = nominate === "" ? null : nominate;
  }
  if (!status.conditions && status.nominatedNodeName === undefined) return undefined;
  return { metadata: { uid }, status };
}
