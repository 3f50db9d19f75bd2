/**
 * Preemptions that were begun. To try a pod again before its victims leave would bring nothing: it is kept out of the
 * queue meanwhile, as upstream does since its preemption is asynchronous.
 *
 *   begin ──▶ kept out ──(every victim is seen to terminate, or to be gone)──▶ may come in ──(bound)──▶ forgotten
 *                └───────(the server did not take the evictions)──▶ failed: may come in, and preempt anew
 */
import { hasPodEnded } from "../../../api/core/pod/state.ts";
import type { Pod } from "../../../api/core/pods.ts";
import type { Change, Informer } from "../../../client/informer/informer.ts";
import type { PluginContext } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";

export interface Begun {
  readonly preemptor: string;
  readonly node: string;
  readonly victims: readonly PodInfo[];
  /** The victims, by uid, that are not seen to leave yet. */
  readonly awaited: Set<string>;
  failed: boolean;
  /** Whether its pod was refused the queue and is to be told when it may come in. */
  keptOut: boolean;
}

/** Pods that were deleted while they waited leave their entries behind: swept beyond this many. */
const MOST_BEGUN = 1000;

export interface BegunPreemptionsParts extends Pick<PluginContext, "nodes" | "reconsider"> {
  pods: Pick<Informer<Pod>, "lister" | "subscribe">;
}

export class BegunPreemptions {
  private readonly parts: BegunPreemptionsParts;
  /** By the uid of the preemptor. */
  private readonly begun = new Map<string, Begun>();
  /** By the uids of the victims that are awaited. */
  private readonly awaiting = new Map<string, Set<Begun>>();
  private sweepAt = MOST_BEGUN;

  constructor(parts: BegunPreemptionsParts) {
    this.parts = parts;
    parts.pods.subscribe((change) => this.seen(change));
  }

  get(preemptor: string): Begun | undefined {
    return this.begun.get(preemptor);
  }

  /** `evicted` rejects where the server did not take it all. */
  begin(preemptor: string, node: string, victims: readonly PodInfo[], evicted: Promise<unknown>): void {
    this.forget(preemptor);
    if (this.begun.size >= this.sweepAt) this.sweep();
    const begun: Begun = { preemptor, node, victims, awaited: new Set(), failed: false, keptOut: false };
    this.begun.set(preemptor, begun);
    for (const { uid, pod } of victims) {
      // Whoever chose them may have waited for extenders since.
      if (!this.isThere(pod)) continue;
      begun.awaited.add(uid);
      const others = this.awaiting.get(uid);
      if (others) others.add(begun);
      else this.awaiting.set(uid, new Set([begun]));
    }
    evicted.catch(() => {
      begun.failed = true;
      this.stopAwaiting(begun);
      if (this.begun.get(preemptor) === begun) this.parts.reconsider(preemptor);
    });
  }

  /** Whether the pod is kept out of the queue; it is let in when that ends. */
  keepsOut(preemptor: string): boolean {
    const begun = this.begun.get(preemptor);
    if (!begun || begun.awaited.size === 0) return false;
    begun.keptOut = true;
    return true;
  }

  forget(preemptor: string): void {
    const begun = this.begun.get(preemptor);
    if (!begun) return;
    this.stopAwaiting(begun);
    this.begun.delete(preemptor);
  }

  private isThere({ metadata: { namespace = "", name = "", uid } }: Pod): boolean {
    const latest = this.parts.pods.lister.get(namespace, name);
    return latest !== undefined && latest.metadata.uid === uid && !isLeaving(latest);
  }

  private seen({ now, was }: Pick<Change<Pod>, "now" | "was">): void {
    if (this.awaiting.size === 0) return;
    const uid = was?.metadata.uid ?? "";
    const waiting = this.awaiting.get(uid);
    if (!waiting || (now && now.metadata.uid === uid && !isLeaving(now))) return;
    this.awaiting.delete(uid);
    for (const begun of waiting) {
      begun.awaited.delete(uid);
      if (begun.awaited.size === 0 && begun.keptOut) this.parts.reconsider(begun.preemptor);
    }
  }

  private stopAwaiting(begun: Begun): void {
    for (const uid of begun.awaited) {
      const waiting = this.awaiting.get(uid);
      waiting?.delete(begun);
      if (waiting?.size === 0) this.awaiting.delete(uid);
    }
    begun.awaited.clear();
  }

  private sweep(): void {
    const { nodes } = this.parts;
    for (const [uid, { node, victims, failed }] of this.begun) {
      const there = nodes.get(node)?.pods;
      if (failed || !victims.some((each) => there?.get(each.key)?.uid === each.uid)) this.forget(uid);
    }
    // Where most are still under way, to look at all of them each time would cost more and more.
    this.sweepAt = Math.max(MOST_BEGUN, 2 * this.begun.size);
  }
}

function isLeaving(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined || hasPodEnded(pod);
}
