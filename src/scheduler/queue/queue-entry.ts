import type { HeapItem } from "../../base/heap.ts";
import type { QueuedPod } from "../framework/plugin.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import type { Rejection } from "../framework/rejection.ts";

/**
 * Where a pod of the queue is:
 *
 *             ┌──────────────── nothing helps yet ◀────────────┐
 *   add ──▶ gated ──▶ active ──pop──▶ inFlight ──rejected──▶ unschedulable
 *                      ▲  ▲              │ failed                 │ a hint says: try again
 *                      │  └── due ── failing                      ▼
 *                      └───── due, or nothing else to do ──── backoff
 */
export type QueueState = "gated" | "active" | "inFlight" | "unschedulable" | "backoff" | "failing";

const NOBODY: ReadonlySet<string> = new Set();

/** A pod in the queue. Only the queue changes it. */
export class QueueEntry implements QueuedPod, HeapItem {
  info: PodInfo;
  state: QueueState = "inFlight";
  /** When it came into the queue last: pods of one priority go in this order. */
  since: number;
  /** Breaks ties of `since`. */
  order = 0;
  /** When it was first seen. */
  readonly first: number;
  attempts = 0;
  /** Attempts that ended with no node, and those that ended with an error since the last that did not. */
  rejections = 0;
  failures = 0;
  /** When a pod that waits out its backoff may be tried again. */
  due = 0;
  /** The plugins that rejected it last; of these, those that wait for something of their own. */
  rejectedBy: ReadonlySet<string> = NOBODY;
  pendingOn: ReadonlySet<string> = NOBODY;
  /** Of a gated pod. */
  gate: Rejection | undefined;
  /** Of a pod in flight: the first change of the log that came after it was taken. */
  seenUpTo = 0;
  place = -1;

  constructor(info: PodInfo, now: number) {
    this.info = info;
    this.since = now;
    this.first = now;
  }
}
