/**
 * The last attempt of every pod, for a bounded time and in bounded memory: the least recent go first, and of attempts
 * whose nodes fill the room, only how many nodes there were for each reason is kept, with a few of their names.
 */
import type { Clock } from "../../base/clock.ts";
import type { NodeRejections, Rejection } from "../framework/rejection.ts";
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

interface Kept extends Omit<Attempt, "info" | "rejected"> {
  uid: string;
  /** Brought together where it is asked for, or where room is short. */
  rejected: NodeRejections | readonly RejectedNodes[];
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
  private readonly kept = new Map<string, Kept>();
  private names = 0;
  /** Those whose names of nodes are still all there, the least recent first. */
  private readonly whole = new Set<Kept>();

  constructor(clock: Clock, limits: DecisionLimits = LIMITS) {
    this.clock = clock;
    this.limits = limits;
  }

  get size(): number {
    return this.kept.size;
  }

  get(namespace: string, name: string): Decision | undefined {
    const decision = this.kept.get(`${namespace}/${name}`);
    if (!decision || this.clock.now() - decision.at > this.limits.age) return undefined;
    return { ...decision, rejected: groupsOf(decision) };
  }

  attempted({ info, rejected, ...attempt }: Attempt): void {
    this.drop(info.key);
    const decision: Kept = { ...attempt, uid: info.uid, rejected: rejected ?? [] };
    this.kept.set(info.key, decision);
    if (rejected && rejected.size > 0) {
      this.whole.add(decision);
      this.names += rejected.size;
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
      decision.rejected = groupsOf(decision, FEW);
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

function groupsOf({ rejected }: Kept, most = Number.POSITIVE_INFINITY): readonly RejectedNodes[] {
  return "forEach" in rejected && "size" in rejected ? grouped(rejected, most) : rejected;
}

/** Plugins make a rejection once for all nodes that it fits. `most`: names that are kept of each group. */
function grouped(rejected: NodeRejections, most: number): readonly RejectedNodes[] {
  const groups = new Map<Rejection | string, Group>();
  let last: Group | undefined;
  const groupOf = (rejection: Rejection): Group => {
    const key = groups.has(rejection) || groups.size < MOST_GROUPS ? rejection : saying(rejection);
    let group = groups.get(key);
    if (!group) {
      group = { rejection, count: 0, nodes: [] };
      groups.set(key, group);
    }
    return group;
  };
  rejected.forEach((rejection, node) => {
    if (last?.rejection !== rejection) last = groupOf(rejection);
    last.count++;
    if (last.nodes.length < most) last.nodes.push(node.name);
  });
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function saying({ plugin, code, reasons }: Rejection): string {
  return `${plugin}\n${code}\n${reasons.join("\n")}`;
}

/** Of a decision whose names are all there. */
function namesIn({ rejected }: Kept): number {
  return "size" in rejected ? rejected.size : 0;
}
