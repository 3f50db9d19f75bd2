/**
 * Takes a pod to its node: assume, reserve and permit in the cycle's own turn, then, beside the next cycles,
 *
 *   wait for leave ─▶ preBind ─▶ bind ─▶ postBind
 *
 * What fails anywhere gives back what was reserved, and the pod goes back into the queue.
 */
import type { Clock } from "../base/clock.ts";
import type { EventRecorder } from "../client/events/event-recorder.ts";
import type { Cache } from "./cache/cache.ts";
import { messageOf } from "./cycle/diagnosis.ts";
import type { Extenders } from "./extenders/extenders.ts";
import type { NodeInfo } from "./framework/node-info.ts";
import type { Cycle } from "./framework/plugin.ts";
import type { Profile } from "./framework/profile.ts";
import type { NodeRejections, Rejection } from "./framework/rejection.ts";
import type { PermitWaits } from "./framework/waiting-pods.ts";
import type { SchedulerMetrics } from "./metrics.ts";
import type { QueueEntry } from "./queue/queue-entry.ts";
import type { SchedulingQueue, Verdict } from "./queue/scheduling-queue.ts";
import type { StatusWriter } from "./status-writer.ts";

/** How a pod that got no node is given back. */
export interface Failure {
  message: string;
  reason: "Unschedulable" | "SchedulerError";
  verdict: Verdict;
  /** Undefined leaves the pod's nomination be, "" takes it away. */
  nominate?: string;
  /** The node that was chosen, where a plugin refused it. */
  rejected?: NodeRejections;
}

export interface BindingParts {
  cache: Cache;
  queue: SchedulingQueue;
  permits: PermitWaits;
  extenders: Extenders | undefined;
  status: StatusWriter;
  eventsOf: (profile: string) => EventRecorder;
  metrics: SchedulerMetrics;
  clock: Clock;
  elapsed: () => number;
  failed: (entry: QueueEntry, profile: Profile, failure: Failure) => void;
}

interface Binding {
  entry: QueueEntry;
  cycle: Cycle;
  profile: Profile;
  node: NodeInfo;
  /** When the cycle began. */
  began: number;
}

const NOBODY: ReadonlySet<string> = new Set();

export class BindingCycle {
  private readonly parts: BindingParts;

  constructor(parts: BindingParts) {
    this.parts = parts;
  }

  /** Undefined where it ended at once, without a node. */
  begin(
    entry: QueueEntry,
    cycle: Cycle,
    profile: Profile,
    node: NodeInfo,
    began: number,
  ): Promise<void> | undefined {
    const binding: Binding = { entry, cycle, profile, node, began };
    const { cache, queue } = this.parts;
    cache.assume(entry.info, node.name);
    queue.nominator.remove(entry.info.uid);
    try {
      for (const { plugin } of profile.reserves) {
        const rejection = plugin.reserve!(cycle, node);
        if (rejection) return this.reject(binding, rejection);
      }
      const waits = this.permit(binding);
      if (waits && "code" in waits) return this.reject(binding, waits);
      return this.bind(binding, waits);
    } catch (error) {
      return this.fail(binding, textOf(error));
    }
  }

  private permit({ cycle, profile, node }: Binding): ReadonlyMap<string, number> | Rejection | undefined {
    let waits: Map<string, number> | undefined;
    for (const { name, plugin } of profile.permits) {
      const answer = plugin.permit!(cycle, node);
      if (!answer) continue;
      if ("code" in answer) return answer;
      waits ??= new Map();
      waits.set(name, answer.wait);
    }
    return waits;
  }

  private async bind(binding: Binding, waits: ReadonlyMap<string, number> | undefined): Promise<void> {
    const { permits, metrics, elapsed, status } = this.parts;
    const { entry, cycle, profile, node } = binding;
    const preBinds = profile.preBinds.filter(({ plugin }) => plugin.mustPreBind?.(cycle, node) ?? true);
    try {
      // What takes long is told, so that others, and a scheduler that comes after this one, know of it.
      const told = waits || preBinds.length > 0 ? status.expect(cycle.pod, node.name) : undefined;
      if (waits) {
        const from = elapsed();
        const refusal = await permits.wait(entry.info.uid, waits);
        metrics.permitWaited(refusal === undefined, elapsed() - from);
        await told;
        if (refusal) {
          this.reject(binding, refusal);
          return;
        }
      }
      // A binding takes the nomination away: it must not come after it.
      await told;
      for (const { name, plugin } of preBinds) {
        const refusal = await named(plugin.preBind!(cycle, node), `running PreBind plugin ${quoted(name)}`);
        if (refusal) {
          this.reject(binding, refusal);
          return;
        }
      }
      const from = elapsed();
      await this.callBinders(binding);
      metrics.extensionPoint("Bind", profile.name, false, elapsed() - from);
    } catch (error) {
      this.fail(binding, textOf(error));
      return;
    }
    this.bound(binding);
  }

  private async callBinders({ cycle, profile, node }: Binding): Promise<void> {
    const { extenders } = this.parts;
    if (extenders && (await named(extenders.bind(cycle.pod, node), "binding rejected"))) return;
    for (const { name, plugin } of profile.binds) {
      const what = `binding rejected: running Bind plugin ${quoted(name)}`;
      if (await named(plugin.bind!(cycle, node), what)) return;
    }
    throw new Error("no plugin of the profile binds the pod");
  }

  private bound({ entry, cycle, profile, node, began }: Binding): void {
    const { queue, metrics, eventsOf, status, clock, elapsed } = this.parts;
    const { info } = entry;
    metrics.attempt(profile.name, "scheduled", elapsed() - began);
    metrics.scheduled(entry.attempts, clock.elapsed() - entry.first);
    queue.done(entry);
    status.drop(info.uid);
    const note = `Successfully assigned ${info.key} to ${node.name}`;
    eventsOf(profile.name).record(info.pod, "Normal", "Scheduled", note, { action: "Binding" });
    for (const { plugin } of profile.postBinds) plugin.postBind!(cycle, node);
  }

  /** A plugin refuses the node that was chosen. */
  private reject(binding: Binding, rejection: Rejection): undefined {
    const { entry, profile, node, began } = binding;
    const { metrics, elapsed, failed } = this.parts;
    this.giveBack(binding);
    metrics.attempt(profile.name, "unschedulable", elapsed() - began);
    const rejectedBy = new Set([rejection.plugin]);
    const rejected = new Map([[node, rejection]]);
    failed(entry, profile, {
      message: messageOf({ nodes: 1, counts: new Map([[rejection, 1]]) }),
      rejected,
      reason: "Unschedulable",
      verdict: {
        rejectedBy,
        pendingOn: rejection.code === "pending" ? rejectedBy : NOBODY,
        failed: false,
      },
      nominate: "",
    });
  }

  private fail(binding: Binding, message: string): undefined {
    const { entry, profile, began } = binding;
    const { metrics, elapsed, failed } = this.parts;
    this.giveBack(binding);
    metrics.attempt(profile.name, "error", elapsed() - began);
    const verdict = { rejectedBy: NOBODY, pendingOn: NOBODY, failed: true };
    failed(entry, profile, { message, reason: "SchedulerError", verdict, nominate: "" });
  }

  /** All that was taken for the pod; others may fit there now. */
  private giveBack({ entry, cycle, profile, node }: Binding): void {
    const { cache, queue } = this.parts;
    for (const { plugin } of profile.unreserves) plugin.unreserve!(cycle, node);
    cache.forget(entry.info.uid);
    const { pod } = entry.info;
    const was = { ...pod, spec: { ...pod.spec, nodeName: node.name } };
    queue.changed({ resource: "pods.", was, except: entry.info.uid });
  }
}

async function named<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${what}: ${textOf(error)}`, { cause: error });
  }
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
