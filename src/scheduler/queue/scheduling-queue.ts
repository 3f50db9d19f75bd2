/**
 * The pods that wait for a node (the states are drawn in queue-entry.ts). Nothing polls: there is one timer, for what
 * falls due next, and a rejected pod comes back when a plugin that rejected it says that a change may help.
 */
import type { Pod } from "../../api/core/pods.ts";
import type { Clock } from "../../base/clock.ts";
import { Heap } from "../../base/heap.ts";
import type { QueuedPod } from "../framework/plugin.ts";
import { PodInfo } from "../framework/pod-info.ts";
import type { Profile } from "../framework/profile.ts";
import type { Rejection } from "../framework/rejection.ts";
import { ChangeLog, type ClusterChange } from "./change-log.ts";
import { Nominator } from "./nominator.ts";
import { QueueEntry, type QueueState } from "./queue-entry.ts";
import { type Help, helpOf, WaitingIndex } from "./waiting-index.ts";

export interface SchedulingQueueOptions {
  clock: Clock;
  profiles: ReadonlyMap<string, Profile>;
  /** Milliseconds that a pod waits after its first attempt, doubled after each, up to the longest. */
  firstBackoff: number;
  longestBackoff: number;
  /** Milliseconds after which a rejected pod is tried again though nothing seemed to help. */
  longestUnschedulable: number;
  /** Called when there is something to pop where nothing was. */
  ready: () => void;
  /** Told of each node whose pods to come are others than before. */
  nominated: (node: string) => void;
  /** Told of each pod that comes in, for figures. */
  incoming?: (queue: "active" | "backoff" | "unschedulable" | "gated", event: string) => void;
}

/** How an attempt ended without a node. */
export interface Verdict {
  /** Plugins that rejected the pod; of these, those that wait for something of their own. */
  rejectedBy: ReadonlySet<string>;
  pendingOn: ReadonlySet<string>;
  /** It was no decision: something failed. */
  failed: boolean;
}

const PODS = "pods.";

export class SchedulingQueue {
  readonly nominator: Nominator;
  private readonly options: SchedulingQueueOptions;
  /** By uid. */
  private readonly entries = new Map<string, QueueEntry>();
  private readonly active: Heap<QueueEntry>;
  /** Those that wait out their backoff; those whose last attempt failed are apart: they never go before their time. */
  private readonly backoff = new Heap<QueueEntry>(isDueBefore);
  private readonly failing = new Heap<QueueEntry>(isDueBefore);
  /** In the order in which they came in: the first is the first to be tried again. */
  private readonly unschedulable = new Set<QueueEntry>();
  private readonly gated = new Set<QueueEntry>();
  private readonly inFlight = new Set<QueueEntry>();
  private readonly waiting = new WaitingIndex();
  private readonly log = new ChangeLog();
  private order = 0;
  private timerAt = Number.POSITIVE_INFINITY;
  private cancelTimer = (): void => {};

  constructor(options: SchedulingQueueOptions) {
    this.options = options;
    this.nominator = new Nominator(options.nominated);
    const [first] = options.profiles.values();
    const sort = first?.queueSort ?? bySince;
    this.active = new Heap((a, b) => (sort(a, b) || a.order - b.order) < 0);
  }

  /** How many pods there are in each state but in flight. */
  counts(): Record<"active" | "backoff" | "unschedulable" | "gated", number> {
    return {
      active: this.active.size,
      backoff: this.backoff.size + this.failing.size,
      unschedulable: this.unschedulable.size,
      gated: this.gated.size,
    };
  }

  rejectedCounts(): Iterable<[string, string, number]> {
    return this.waiting.counts();
  }

  get(uid: string): QueueEntry | undefined {
    return this.entries.get(uid);
  }

  /**
   * In milliseconds since 1970, when a pod that waits is tried again at the latest; undefined where nothing but a change
   * brings it back.
   */
  dueOf({ state, since, due }: QueueEntry): number | undefined {
    const { clock, longestUnschedulable } = this.options;
    const began = clock.now() - clock.elapsed();
    if (state === "backoff" || state === "failing") return began + due;
    return state === "unschedulable" ? began + since + longestUnschedulable : undefined;
  }

  /** A pod without a node came, or is not in the queue yet. */
  add(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    if (this.entries.has(uid)) {
      this.update(pod, pod);
      return;
    }
    const entry = new QueueEntry(new PodInfo(pod), this.options.clock.elapsed());
    this.entries.set(uid, entry);
    const nominated = pod.status?.nominatedNodeName;
    if (nominated) this.nominator.nominate(entry.info, nominated);
    this.enter(entry, "PodAdd");
  }

  update(was: Pod, now: Pod): void {
    const entry = this.entries.get(now.metadata.uid ?? "");
    if (!entry) {
      this.add(now);
      return;
    }
    const change: ClusterChange = { resource: PODS, now, was, own: entry.info.uid };
    if (entry.state === "inFlight") {
      // The cycle keeps what it began with.
      if (this.inFlight.size > 0) this.log.add(change);
      return;
    }
    entry.info = new PodInfo(now);
    this.renominate(entry.info, was, now);
    if (entry.state === "active") this.active.moved(entry);
    else if (entry.state === "gated") this.tryGate(entry, "PodUpdate");
    else if (entry.state === "unschedulable") {
      const profile = this.profileOf(entry);
      const help = profile && helpOf(change, entry, profile);
      if (help) this.comeBack(entry, help, "PodUpdate");
    }
  }

  /** The pod is gone, or has a node. */
  remove(uid: string): void {
    this.nominator.remove(uid);
    const entry = this.entries.get(uid);
    if (!entry || entry.state === "inFlight") return;
    this.leave(entry);
    this.entries.delete(uid);
  }

  /** The pod to try next; it is in flight until `done` or `giveBack`. */
  pop(): QueueEntry | undefined {
    // With nothing else to do, nobody is served by waiting.
    const entry = this.active.pop() ?? this.backoff.pop();
    if (!entry) return undefined;
    entry.state = "inFlight";
    entry.attempts++;
    entry.seenUpTo = this.log.next;
    this.inFlight.add(entry);
    return entry;
  }

  get hasNext(): boolean {
    return this.active.size > 0 || this.backoff.size > 0;
  }

  /** The pod was bound, or needs no node any more. */
  done(entry: QueueEntry): void {
    this.land(entry);
    this.entries.delete(entry.info.uid);
  }

  /** The attempt brought no node. `pod` is the latest of it. */
  giveBack(entry: QueueEntry, pod: Pod, { rejectedBy, pendingOn, failed }: Verdict): void {
    const now = this.options.clock.elapsed();
    const missed = [...this.log.since(entry.seenUpTo)];
    this.land(entry);
    if (pod !== entry.info.pod) entry.info = new PodInfo(pod);
    this.nominator.update(entry.info);
    entry.since = now;
    entry.rejectedBy = rejectedBy;
    entry.pendingOn = pendingOn;
    if (failed) entry.failures++;
    else {
      entry.failures = 0;
      entry.rejections++;
    }
    entry.due = now + this.backoffOf(failed ? entry.failures : entry.rejections);
    const profile = this.profileOf(entry);
    let help: Help = failed ? "later" : undefined;
    for (const change of missed) {
      if (help === "now" || !profile) break;
      if (concerns(change, entry.info.uid)) help = helpOf(change, entry, profile) ?? help;
    }
    entry.state = "unschedulable";
    if (help) {
      this.comeBack(entry, help, "ScheduleAttemptFailure");
      return;
    }
    this.hold(entry, "ScheduleAttemptFailure");
  }

  /** Something in the cluster changed: those whom it may help come back. */
  changed(change: ClusterChange): void {
    if (this.inFlight.size > 0) this.log.add(change);
    if (this.unschedulable.size === 0 && this.gated.size === 0) return;
    for (const profile of this.options.profiles.values()) {
      for (const [entry, help] of this.waiting.helped(change, profile)) {
        if (entry.state === "gated") this.tryGate(entry, "ClusterChange");
        else this.comeBack(entry, help, "ClusterChange");
      }
    }
  }

  /** What keeps the pod out of the queue may be over, or a plugin wants it tried again though nothing changed. */
  reconsider(uid: string): void {
    const entry = this.entries.get(uid);
    if (entry?.state === "gated") this.tryGate(entry, "ForceActivate");
    else if (entry?.state === "unschedulable") this.comeBack(entry, "later", "ForceActivate");
  }

  close(): void {
    this.cancelTimer();
    this.timerAt = Number.NEGATIVE_INFINITY;
  }

  private land(entry: QueueEntry): void {
    this.inFlight.delete(entry);
    const [oldest] = this.inFlight;
    this.log.forgetBefore(oldest ? oldest.seenUpTo : this.log.next);
  }

  private profileOf({ info }: QueueEntry): Profile | undefined {
    return this.options.profiles.get(info.pod.spec?.schedulerName ?? "");
  }

  private gateOf(entry: QueueEntry): Rejection | undefined {
    for (const { plugin } of this.profileOf(entry)?.preEnqueue ?? []) {
      const gate = plugin.preEnqueue?.(entry.info.pod);
      if (gate) return gate;
    }
    return undefined;
  }

  /** Into the active pods, if nothing keeps it out. */
  private enter(entry: QueueEntry, event: string): void {
    const gate = this.gateOf(entry);
    if (gate) {
      this.shut(entry, gate, event);
      return;
    }
    entry.gate = undefined;
    entry.state = "active";
    entry.order = ++this.order;
    const idle = !this.hasNext;
    this.active.push(entry);
    this.options.incoming?.("active", event);
    if (idle) this.options.ready();
  }

  private shut(entry: QueueEntry, gate: Rejection, event: string): void {
    entry.gate = gate;
    entry.state = "gated";
    entry.rejectedBy = new Set([gate.plugin]);
    entry.pendingOn = new Set();
    this.gated.add(entry);
    const profile = this.profileOf(entry);
    if (profile) this.waiting.add(entry, profile.name);
    this.options.incoming?.("gated", event);
  }

  private tryGate(entry: QueueEntry, event: string): void {
    const gate = this.gateOf(entry);
    if (gate?.plugin === entry.gate?.plugin && gate) {
      entry.gate = gate;
      return;
    }
    this.leave(entry);
    if (gate) this.shut(entry, gate, event);
    else this.comeBack(entry, "later", event);
  }

  /** Waits until something helps. */
  private hold(entry: QueueEntry, event: string): void {
    entry.state = "unschedulable";
    this.unschedulable.add(entry);
    const profile = this.profileOf(entry);
    if (profile) this.waiting.add(entry, profile.name);
    this.options.incoming?.("unschedulable", event);
    this.arm();
  }

  private comeBack(entry: QueueEntry, help: Help, event: string): void {
    this.leave(entry);
    if (help === "now" || entry.due <= this.options.clock.elapsed()) {
      this.enter(entry, event);
      return;
    }
    const gate = this.gateOf(entry);
    if (gate) {
      this.shut(entry, gate, event);
      return;
    }
    const failing = entry.failures > 0;
    const idle = !this.hasNext;
    entry.state = failing ? "failing" : "backoff";
    entry.order = ++this.order;
    (failing ? this.failing : this.backoff).push(entry);
    this.options.incoming?.("backoff", event);
    this.arm();
    if (idle && !failing) this.options.ready();
  }

  /** Out of whatever holds it. */
  private leave(entry: QueueEntry): void {
    const { state } = entry;
    if (state === "active") this.active.remove(entry);
    else if (state === "backoff") this.backoff.remove(entry);
    else if (state === "failing") this.failing.remove(entry);
    else if (state === "inFlight") return;
    else {
      this.unschedulable.delete(entry);
      this.gated.delete(entry);
      const profile = this.profileOf(entry);
      if (profile) this.waiting.remove(entry, profile.name);
    }
    entry.state = "unschedulable" satisfies QueueState;
  }

  private renominate(info: PodInfo, was: Pod, now: Pod): void {
    const before = was.status?.nominatedNodeName ?? "";
    const after = now.status?.nominatedNodeName ?? "";
    if (before === after) this.nominator.update(info);
    else if (after === "") this.nominator.remove(info.uid);
    else this.nominator.nominate(info, after);
  }

  private backoffOf(count: number): number {
    const { firstBackoff, longestBackoff } = this.options;
    return count === 0 ? 0 : Math.min(firstBackoff * 2 ** Math.min(count - 1, 30), longestBackoff);
  }

  private arm(): void {
    const [oldest] = this.unschedulable;
    const at = Math.min(
      this.backoff.peek()?.due ?? Number.POSITIVE_INFINITY,
      this.failing.peek()?.due ?? Number.POSITIVE_INFINITY,
      oldest ? oldest.since + this.options.longestUnschedulable : Number.POSITIVE_INFINITY,
    );
    if (at >= this.timerAt) return;
    this.cancelTimer();
    this.timerAt = at;
    const { clock } = this.options;
    this.cancelTimer = clock.setTimer(at - clock.elapsed(), () => this.fire());
  }

  private fire(): void {
    this.timerAt = Number.POSITIVE_INFINITY;
    const now = this.options.clock.elapsed();
    for (const heap of [this.backoff, this.failing]) {
      for (let entry = heap.peek(); entry && entry.due <= now; entry = heap.peek()) {
        this.leave(entry);
        this.enter(entry, "BackoffComplete");
      }
    }
    for (const entry of this.unschedulable) {
      if (entry.since + this.options.longestUnschedulable > now) break;
      this.comeBack(entry, "later", "UnschedulableTimeout");
    }
    this.arm();
  }
}

function concerns({ own, except }: ClusterChange, uid: string): boolean {
  return except !== uid && (own === undefined || own === uid);
}

function isDueBefore(a: QueueEntry, b: QueueEntry): boolean {
  return a.due !== b.due ? a.due < b.due : a.order < b.order;
}

function bySince(a: QueuedPod, b: QueuedPod): number {
  return a.since - b.since;
}
