/**
 * The loop: takes pods from the queue, finds each a node, and binds it.
 *
 *   turn: pop ─▶ cycle (one turn, synchronous) ─▶ pop ─▶ cycle ─▶ … until a few milliseconds are over
 *                  │                     │
 *                  │ a node              │ none
 *                  ▼                     ▼
 *         binding (beside the next)   postFilter, back into the queue
 *
 * Only postFilter plugins and extenders that take time make the next cycle wait.
 */
import type { Pod } from "../api/core/pods.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { EventRecorder } from "../client/events/event-recorder.ts";
import type { Lister } from "../client/informer/object-store.ts";
import { BindingCycle, type Failure } from "./binding-cycle.ts";
import type { Cache } from "./cache/cache.ts";
import { AlignedRejections } from "./cycle/aligned-rejections.ts";
import { type Diagnosis, messageOf } from "./cycle/diagnosis.ts";
import { NodeRanking, type RankedNode } from "./cycle/node-ranking.ts";
import { NodeSearch, nodesToFind, type Prepared, prepare } from "./cycle/node-search.ts";
import { PostFilterTrial } from "./cycle/trial.ts";
import type { Attempt, DecisionRecorder } from "./decisions/attempt.ts";
import type { Extenders } from "./extenders/extenders.ts";
import type { NodeInfo } from "./framework/node-info.ts";
import type { Cycle, PostFilterResult } from "./framework/plugin.ts";
import { type Profile, WITHOUT_NODES } from "./framework/profile.ts";
import type { Rejection, SearchRejections } from "./framework/rejection.ts";
import type { PermitWaits } from "./framework/waiting-pods.ts";
import type { SchedulerMetrics } from "./metrics.ts";
import type { QueueEntry } from "./queue/queue-entry.ts";
import type { SchedulingQueue, Verdict } from "./queue/scheduling-queue.ts";
import type { StatusWriter } from "./status-writer.ts";

export interface SchedulerParts {
  cache: Cache;
  queue: SchedulingQueue;
  profiles: ReadonlyMap<string, Profile>;
  pods: Lister<Pod>;
  permits: PermitWaits;
  extenders: Extenders | undefined;
  status: StatusWriter;
  eventsOf: (profile: string) => EventRecorder;
  decisions: DecisionRecorder;
  metrics: SchedulerMetrics;
  clock: Clock;
  random: Random;
  /** Milliseconds with fractions, for durations alone. */
  elapsed: () => number;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

/** Milliseconds that a turn of the event loop is held at the most, but for the last cycle. */
const TURN = 8;
/** Pods on their way to being bound; more would only wait in the API server. */
const MOST_BINDING = 1000;
/** The longest note of an event; upstream ends longer texts with " ...". */
const LONGEST_NOTE = 1024;

/** One pod's way through a cycle. */
interface Try {
  entry: QueueEntry;
  cycle: Cycle;
  profile: Profile;
  /** When the cycle began. */
  began: number;
  /** Nodes that were asked, and those that would do. */
  asked: number;
  fitting: number;
}

export class Scheduler {
  private readonly parts: SchedulerParts;
  private readonly search: NodeSearch;
  private readonly ranking: NodeRanking;
  private readonly binding: BindingCycle;
  private readonly underWay = new Set<Promise<void>>();
  private planned = false;
  private blocked = false;
  private stopped = false;

  constructor(parts: SchedulerParts) {
    this.parts = parts;
    this.search = new NodeSearch(parts.queue.nominator);
    this.ranking = new NodeRanking(parts.random);
    this.binding = new BindingCycle({
      ...parts,
      failed: (entry, profile, failure) => this.bindingFailed(entry, profile, failure),
    });
  }

  /** There may be something to do. */
  wake(): void {
    if (this.planned || this.blocked || this.stopped) return;
    this.planned = true;
    setImmediate(() => this.turn());
  }

  /** Begins no more cycles; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** Pods that wait at permit cost nothing, and may wait for others to come. */
  private get isFull(): boolean {
    return this.underWay.size - this.parts.permits.size >= MOST_BINDING;
  }

  private turn(): void {
    this.planned = false;
    const { queue, elapsed } = this.parts;
    const until = elapsed() + TURN;
    do {
      if (this.stopped || this.isFull) return;
      const entry = queue.pop();
      if (!entry) return;
      const waited = this.attempt(entry);
      if (waited) {
        this.blocked = true;
        this.follow(
          waited.finally(() => {
            this.blocked = false;
            this.wake();
          }),
        );
        return;
      }
    } while (elapsed() < until);
    this.wake();
  }

  private follow(work: Promise<void>): void {
    const followed = work
      .catch((error: unknown) => {
        this.parts.log("error", "a pod could not be scheduled on a bug", { error: textOf(error) });
      })
      .finally(() => {
        const full = this.isFull;
        this.underWay.delete(followed);
        if (full) this.wake();
      });
    this.underWay.add(followed);
  }

  /** Returns a promise where the next cycle must wait. */
  private attempt(entry: QueueEntry): Promise<void> | undefined {
    const { cache, queue, profiles, clock, elapsed, eventsOf } = this.parts;
    const { info } = entry;
    const { pod } = info;
    const profile = profiles.get(pod.spec?.schedulerName ?? "");
    if (!profile || cache.isAssumed(info.uid)) {
      queue.done(entry);
      return undefined;
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      eventsOf(profile.name).record(
        pod,
        "Warning",
        "FailedScheduling",
        `skip schedule deleting pod: ${info.key}`,
        { action: "Scheduling" },
      );
      queue.done(entry);
      return undefined;
    }
    const cycle: Cycle = { info, pod, nodes: cache, now: clock.now(), state: new Map() };
    const attempt: Try = { entry, cycle, profile, began: elapsed(), asked: 0, fitting: 0 };
    try {
      return this.run(attempt)?.catch((error: unknown) => this.failedOn(error, attempt));
    } catch (error) {
      this.failedOn(error, attempt);
      return undefined;
    }
  }

  /** `askNominated`: the node that the pod is nominated to is asked before all others. */
  private run(attempt: Try, askNominated = true): Promise<void> | undefined {
    const { cycle, profile, began } = attempt;
    const { metrics, elapsed, extenders } = this.parts;
    const prepared = prepare(cycle, profile);
    const afterPrepare = elapsed();
    metrics.extensionPoint("PreFilter", profile.name, "code" in prepared, afterPrepare - began);
    if ("code" in prepared) return this.noNode(attempt, undefined, prepared);
    const asksOutside = extenders?.judge(cycle.pod) ?? false;
    const nominated = askNominated ? this.nominatedNode(cycle, prepared) : undefined;
    if (nominated) {
      attempt.asked = attempt.fitting = 1;
      if (asksOutside) return this.askAboutNominated(attempt, nominated);
      this.take(attempt, nominated);
      return undefined;
    }
    const one = profile.scores.length === 0 && !asksOutside;
    const want = one ? 1 : nodesToFind(prepared.nodes.length, profile.percentageOfNodesToScore);
    this.search.run(cycle, prepared, want);
    attempt.asked = this.search.asked;
    attempt.fitting = this.search.count;
    metrics.extensionPoint("Filter", profile.name, this.search.count === 0, elapsed() - afterPrepare);
    if (this.search.count === 0) return this.noNode(attempt, prepared);
    const nodes = this.search.found.slice(0, this.search.count);
    if (asksOutside) return this.askExtenders(attempt, prepared, nodes);
    this.choose(attempt, nodes);
    return undefined;
  }

  /** `nodes` would do; `extra` are their scores by extenders. */
  private choose(attempt: Try, nodes: readonly NodeInfo[], extra?: Float64Array): void {
    const { cycle, profile } = attempt;
    if (nodes.length === 1) {
      this.take(attempt, nodes[0]!);
      return;
    }
    const { metrics, elapsed } = this.parts;
    const began = elapsed();
    const best = this.ranking.best(cycle, profile, nodes, extra);
    metrics.extensionPoint("Score", profile.name, false, elapsed() - began);
    this.take(attempt, best, this.ranking.top(nodes, best));
  }

  /** Extenders judge the nominated node as any other; where they refuse or fail, all are looked at. */
  private async askAboutNominated(attempt: Try, node: NodeInfo): Promise<void> {
    const { cycle } = attempt;
    try {
      const { fitting } = await this.parts.extenders!.filter(cycle.pod, [node]);
      if (fitting.length > 0 && cycle.nodes.get(node.name) === node) {
        this.take(attempt, node);
        return;
      }
    } catch (error) {
      const facts = { pod: attempt.entry.info.key, node: node.name, error: textOf(error) };
      this.parts.log("warn", "extenders could not be asked about the nominated node", facts);
    }
    // What was prepared before the answer may be old.
    attempt.cycle = { ...cycle, state: new Map() };
    await this.run(attempt, false);
  }

  private async askExtenders(attempt: Try, prepared: Prepared, nodes: readonly NodeInfo[]): Promise<void> {
    const { cycle } = attempt;
    const extenders = this.parts.extenders!;
    const { fitting, rejected } = await extenders.filter(cycle.pod, nodes);
    const scores = fitting.length > 1 ? await extenders.scores(cycle.pod, fitting) : undefined;
    attempt.fitting = fitting.length;
    if (fitting.length === 0) return this.noNode(attempt, prepared, undefined, rejected);
    // The answers took time: a node may have gone.
    const left = fitting.filter((node) => cycle.nodes.get(node.name) === node);
    if (left.length === 0) throw new Error("the nodes that the extenders left have gone");
    this.choose(attempt, left, left.length === fitting.length ? scores : undefined);
  }

  /** The node whose victims have gone for this pod, if it does now: no other is asked. */
  private nominatedNode(cycle: Cycle, { filters, nodes }: Prepared): NodeInfo | undefined {
    const name = this.parts.queue.nominator.node(cycle.info.uid);
    const node = name === undefined ? undefined : cycle.nodes.get(name);
    if (!node || (nodes !== cycle.nodes.list && !nodes.includes(node))) return undefined;
    return this.search.fits(cycle, filters, node) ? node : undefined;
  }

  private take(attempt: Try, node: NodeInfo, top?: readonly RankedNode[]): void {
    const { entry, cycle, profile, began } = attempt;
    const message = `Successfully assigned ${entry.info.key} to ${node.name}`;
    this.record(attempt, { result: "scheduled", message, node: node.name, top });
    const bound = this.binding.begin(entry, cycle, profile, node, began);
    if (bound) this.follow(bound);
  }

  /** `outside`: what extenders rejected. */
  private noNode(
    attempt: Try,
    prepared: Prepared | undefined,
    everywhere?: Rejection,
    outside?: ReadonlyMap<NodeInfo, Rejection>,
  ): Promise<void> | undefined {
    const { cycle } = attempt;
    const nodes = cycle.nodes.list;
    const rejected = prepared
      ? this.search.rejections(cycle, prepared, outside)
      : new AlignedRejections(nodes, new Array<Rejection | undefined>(nodes.length).fill(everywhere));
    const diagnosis = { nodes: nodes.length, everywhere, counts: rejected.counts };
    const answers = this.postFilter(attempt, prepared, rejected);
    if (answers instanceof Promise) {
      return answers.then((answer) => this.unschedulable(attempt, diagnosis, rejected, answer));
    }
    this.unschedulable(attempt, diagnosis, rejected, answers);
    return undefined;
  }

  /** Asks one plugin after the other until one nominates a node. */
  private postFilter(
    { cycle, profile }: Try,
    prepared: Prepared | undefined,
    rejected: SearchRejections,
  ): PostFiltered | Promise<PostFiltered> {
    const { queue, elapsed, metrics } = this.parts;
    const result: PostFiltered = { messages: [], victims: 0 };
    if (rejected.size === 0 || profile.postFilters.length === 0) return result;
    const trial = new PostFilterTrial(cycle, prepared?.filters ?? [], queue.nominator);
    const began = elapsed();
    const ask = (at: number): PostFiltered | Promise<PostFiltered> => {
      for (let i = at; i < profile.postFilters.length && !result.nominate && !result.failed; i++) {
        const answer = profile.postFilters[i]!.plugin.postFilter!(cycle, rejected, trial);
        if (answer instanceof Promise) {
          return answer.then((waited) => {
            take(result, waited);
            return ask(i + 1);
          });
        }
        take(result, answer);
      }
      if (result.nominate) metrics.preempted(result.victims);
      metrics.extensionPoint("PostFilter", profile.name, !result.nominate, elapsed() - began);
      return result;
    };
    return ask(0);
  }

  private unschedulable(
    attempt: Try,
    diagnosis: Diagnosis,
    rejected: SearchRejections,
    { messages, nominate }: PostFiltered,
  ): void {
    const { entry, profile, began } = attempt;
    const { metrics, elapsed } = this.parts;
    const { nodes, everywhere, counts } = diagnosis;
    const message = messageOf(diagnosis, messages.join(", "));
    const rejections = [...counts.keys()];
    if (everywhere) rejections.push(everywhere);
    metrics.attempt(profile.name, "unschedulable", elapsed() - began);
    this.record(attempt, { result: "unschedulable", message, everywhere, rejected, nominated: nominate });
    const verdict = verdictOf(rejections, nodes);
    this.giveBack(entry, profile, { message, reason: "Unschedulable", verdict, nominate });
  }

  private failedOn(error: unknown, attempt: Try): void {
    const { entry, profile, began } = attempt;
    const { metrics, elapsed, log } = this.parts;
    const message = textOf(error);
    log("error", "a pod could not be scheduled", { pod: entry.info.key, error: message });
    metrics.attempt(profile.name, "error", elapsed() - began);
    this.record(attempt, { result: "error", message });
    this.giveBack(entry, profile, { message, reason: "SchedulerError", verdict: FAILED, nominate: "" });
  }

  private record(
    { entry, cycle, profile, asked, fitting }: Try,
    outcome: Pick<Attempt, "result" | "message"> & Partial<Attempt>,
  ): void {
    const { decisions, clock } = this.parts;
    decisions.attempted({
      info: entry.info,
      profile: profile.name,
      at: clock.now(),
      number: entry.attempts,
      nodes: cycle.nodes.list.length,
      asked,
      fitting,
      ...outcome,
    });
  }

  private bindingFailed(entry: QueueEntry, profile: Profile, failure: Failure): void {
    const { decisions, cache, clock } = this.parts;
    decisions.attempted({
      info: entry.info,
      profile: profile.name,
      at: clock.now(),
      number: entry.attempts,
      result: failure.verdict.failed ? "error" : "unschedulable",
      message: failure.message,
      nodes: cache.list.length,
      asked: 0,
      fitting: 1,
      rejected: failure.rejected,
    });
    this.giveBack(entry, profile, failure);
  }

  /** Back into the queue, and told to the user; unless the pod is gone or has a node by now. */
  private giveBack(entry: QueueEntry, profile: Profile, failure: Failure): void {
    const { queue, pods, status, eventsOf } = this.parts;
    const { pod } = entry.info;
    const latest = pods.get(pod.metadata.namespace ?? "", pod.metadata.name ?? "");
    const { message, reason, verdict, nominate } = failure;
    if (!latest || latest.metadata.uid !== entry.info.uid || latest.spec?.nodeName) {
      queue.done(entry);
      status.drop(entry.info.uid);
      return;
    }
    if (nominate) queue.nominator.nominate(entry.info, nominate);
    else if (nominate === "") queue.nominator.remove(entry.info.uid);
    queue.giveBack(entry, latest, verdict);
    const note = message.length > LONGEST_NOTE ? `${message.slice(0, LONGEST_NOTE - 4)} ...` : message;
    eventsOf(profile.name).record(latest, "Warning", "FailedScheduling", note, { action: "Scheduling" });
    status.write(latest, { reason, message, nominate });
  }
}

interface PostFiltered {
  messages: string[];
  nominate?: string;
  victims: number;
  failed?: boolean;
}

function take(result: PostFiltered, answer: PostFilterResult | undefined): void {
  if (!answer) return;
  result.victims += answer.victims ?? 0;
  if (answer.message !== "") result.messages.push(answer.message);
  if (answer.nominate !== undefined) result.nominate = answer.nominate;
  // Upstream tells of a success alone, and of an error.
  if (answer.nominate) result.messages = [];
  if (answer.failed) {
    result.failed = true;
    result.messages = [answer.message];
  }
}

const NOBODY: ReadonlySet<string> = new Set();
export const FAILED: Verdict = { rejectedBy: NOBODY, pendingOn: NOBODY, failed: true };

/** One set for all pods that wait for the same: there may be very many. */
const sets = new Map<string, ReadonlySet<string>>();

function setOf(names: readonly string[]): ReadonlySet<string> {
  if (names.length === 0) return NOBODY;
  const key = names.join("\n");
  let set = sets.get(key);
  if (!set) {
    set = new Set(names);
    sets.set(key, set);
  }
  return set;
}

function verdictOf(rejections: Iterable<Rejection>, nodes: number): Verdict {
  const rejectedBy: string[] = [];
  const pendingOn: string[] = [];
  for (const { plugin, code } of rejections) {
    if (!rejectedBy.includes(plugin)) rejectedBy.push(plugin);
    if (code === "pending" && !pendingOn.includes(plugin)) pendingOn.push(plugin);
  }
  if (nodes === 0) rejectedBy.push(WITHOUT_NODES);
  return { rejectedBy: setOf(rejectedBy), pendingOn: setOf(pendingOn), failed: false };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
