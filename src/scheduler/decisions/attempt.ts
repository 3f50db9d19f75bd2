/** One attempt to give a pod a node, as data: what was decided and why. */
import type { RankedNode } from "../cycle/node-ranking.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import type { NodeRejections, Rejection } from "../framework/rejection.ts";

export interface Attempt {
  info: PodInfo;
  profile: string;
  /** Milliseconds since 1970. */
  at: number;
  /** The first is 1. */
  number: number;
  result: "scheduled" | "unschedulable" | "error";
  /** The text of the pod's condition, or of the event that tells of its node. */
  message: string;
  /** How many nodes there were, how many of them were asked, and how many would do. */
  nodes: number;
  asked: number;
  fitting: number;
  /** The chosen node. */
  node?: string;
  /** The chosen node and the next best with their scores; absent where only one would do. */
  top?: readonly RankedNode[];
  /** Why the pod fits nowhere, where that does not depend on the node. */
  everywhere?: Rejection;
  /** Why each node does not do. */
  rejected?: NodeRejections;
  /** The node that the pod will get once its victims are gone. */
  nominated?: string;
}

export interface DecisionRecorder {
  attempted(attempt: Attempt): void;
}
