/**
 * The last attempt of every pod, for a bounded time and in bounded memory: the least recent go first, and of attempts
 * whose nodes fill the room, only how many nodes there were for each reason is kept, with a few of their names.
 */
import type { Clock } from "../../base/clock.ts";
import type { Rejection } from "../framework/rejection.ts";
import type { Attempt, DecisionRecorder } from "./attempt.ts";

/** Nodes that one rejection holds for. */
export interface RejectedNodes {
  rejection: Rejection;
  count: number;
  /** All of them, or the first few where room was short. */
  nodes: readonly string[];
}

export interface Decision extends Omit<Attempt, "info" | "rejected"> {
  uid: string;
  rejected: readonly RejectedNodes[];
}

export interface DecisionLimits {
  pods: number;
  /** Names of nodes, over all pods. */
  nodes: number;
  /** Milliseconds. */
  age: number;
}

const LIMITS: DecisionLimits = { pods: 10_000, nodes: 500_000, age: 3_600_000 };
/** Names that stay of each reason where room is short. */
const FEW = 10;

export class Decisions implements DecisionRecorder {
  private readonly clock: Clock;
  private readonly limits: DecisionLimits;
  /** By `namespace/name`, the least recent first. */
  private readonly kept = new Map<string, Decision>();
  private names = 0;
  /** Those whose names of nodes are still all there, the least recent first. */
  private readonly whole = new Set<Decision>();

  constructor(clock: Clock, limits: DecisionLimits = LIMITS) {
    this.clock = clock;
    this.limits = limits;
  }

  get size(): number {
    return this.kept.size;
  }

  get(namespace: string, name: string): Decision | undefined {
    const decision = this.kept.get(`${namespace}/${name}`);
    return decision && this.clock.now() - decision.at <= this.limits.age ? decision : undefined;
  }

  attempted({ info, rejected, ...attempt }: Attempt): void {
    this.drop(info.key);
    const decision: Decision = { ...attempt, uid: info.uid, rejected: grouped(rejected) };
    this.kept.set(info.key, decision);
    if (decision.rejected.length > 0) {
      this.whole.add(decision);
      this.names += namesIn(decision);
    }
    this.makeRoom(attempt.at);
  }

  private makeRoom(now: number): void {
    for (const [key, { at }] of this.kept) {
      if (this.kept.size <= this.limits.pods && now - at <= this.limits.age) break;
      this.drop(key);
    }
    for (const decision of this.whole) {
      if (this.names <= this.limits.nodes) break;
      this.names -= namesIn(decision);
      decision.rejected = decision.rejected.map((group) => ({ ...group, nodes: group.nodes.slice(0, FEW) }));
      this.whole.delete(decision);
    }
  }

  private drop(key: string): void {
    const decision = this.kept.get(key);
    if (!decision) return;
    this.kept.delete(key);
    if (this.whole.delete(decision)) this.names -= namesIn(decision);
  }
}

interface Group {
  rejection: Rejection;
  count: number;
  nodes: string[];
}

/** Rejections that are more than this are brought together by what they say. */
const MOST_GROUPS = 64;

/** Plugins make a rejection once for all nodes that it fits. */
function grouped(rejected: Attempt["rejected"]): readonly RejectedNodes[] {
  if (!rejected || rejected.size === 0) return [];
  const groups = new Map<Rejection | string, Group>();
  let last: Group | undefined;
  for (const [{ name }, rejection] of rejected) {
    if (last?.rejection === rejection) {
      last.count++;
      last.nodes.push(name);
      continue;
    }
    const key = groups.has(rejection) || groups.size < MOST_GROUPS ? rejection : saying(rejection);
    last = groups.get(key);
    if (last) {
      last.count++;
      last.nodes.push(name);
    } else {
      last = { rejection, count: 1, nodes: [name] };
      groups.set(key, last);
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function saying({ plugin, code, reasons }: Rejection): string {
  return `${plugin}\n${code}\n${reasons.join("\n")}`;
}

function namesIn({ rejected }: Decision): number {
  return rejected.reduce((sum, { nodes }) => sum + nodes.length, 0);
}
