/**
 * Which nodes changed since someone last looked, found by their generations: what is counted over all nodes is kept up to
 * date node by node instead of being counted anew in each cycle.
 */
import type { NodeInfo } from "./node-info.ts";

export class NodeLog {
  /** Each node has a slot while it is there; the slots of nodes that went are given out again. */
  private readonly nodes: (NodeInfo | undefined)[] = [];
  private readonly generations: number[] = [];
  private readonly free: number[] = [];
  private readonly slots = new Map<NodeInfo, number>();
  /** The slots in the order of the list that was last seen. */
  private order: number[] = [];
  private list: readonly NodeInfo[] = [];
  /** Slots that changed, the oldest first; `start` is the position of the first. */
  private changes: number[] = [];
  private start = 0;

  /** Up to where the log goes. */
  get end(): number {
    return this.start + this.changes.length;
  }

  at(slot: number): NodeInfo | undefined {
    return this.nodes[slot];
  }

  slotOf(node: NodeInfo): number | undefined {
    return this.slots.get(node);
  }

  get size(): number {
    return this.nodes.length;
  }

  /** Enters what changed since the last call. */
  sync(list: readonly NodeInfo[]): void {
    if (!this.isAligned(list)) this.align(list);
    for (let i = 0; i < list.length; i++) {
      const slot = this.order[i]!;
      const { generation } = list[i]!;
      if (this.generations[slot] === generation) continue;
      this.generations[slot] = generation;
      this.changes.push(slot);
    }
    this.forget();
  }

  /** Calls for each slot that changed after `position`, at least once; false where that is not known any more. */
  since(position: number, changed: (slot: number) => void): boolean {
    if (position < this.start) return false;
    for (let i = position - this.start; i < this.changes.length; i++) changed(this.changes[i]!);
    return true;
  }

  private isAligned(list: readonly NodeInfo[]): boolean {
    if (list === this.list && list.length === this.order.length) return true;
    if (list.length !== this.order.length) return false;
    for (let i = 0; i < list.length; i++) if (this.nodes[this.order[i]!] !== list[i]) return false;
    this.list = list;
    return true;
  }

  private align(list: readonly NodeInfo[]): void {
    const gone = new Map(this.slots);
    for (const node of list) gone.delete(node);
    for (const [node, slot] of gone) {
      this.slots.delete(node);
      this.nodes[slot] = undefined;
      this.free.push(slot);
      this.changes.push(slot);
    }
    this.order = list.map((node) => this.slots.get(node) ?? this.enter(node));
    this.list = list;
  }

  private enter(node: NodeInfo): number {
    const slot = this.free.pop() ?? this.nodes.length;
    this.nodes[slot] = node;
    this.generations[slot] = -1;
    this.slots.set(node, slot);
    return slot;
  }

  /** Whoever is further behind than this counts anew, which then costs no more than catching up. */
  private forget(): void {
    const most = 2 * this.nodes.length + 1024;
    if (this.changes.length <= 2 * most) return;
    const drop = this.changes.length - most;
    this.changes = this.changes.slice(drop);
    this.start += drop;
  }
}

/** A sum over all nodes. `S` is what one node gives to it. */
export abstract class NodeSum<S> {
  private readonly log: NodeLog;
  private readonly given: (S | undefined)[] = [];
  private position = -1;

  constructor(log: NodeLog) {
    this.log = log;
  }

  /** What the node gives; undefined: nothing. `was` is what it gave so far, to be returned where nothing changed. */
  protected abstract of(node: NodeInfo, was: S | undefined, slot: number): S | undefined;
  protected abstract add(given: S, slot: number): void;
  protected abstract subtract(given: S, slot: number): void;

  /** All nodes are about to be asked, not only some that changed; then `recounted`. */
  protected recounting(_slots: number): void {}
  protected recounted(): void {}

  /** Brings the sum up to what the log shows. */
  refresh(): void {
    const { log } = this;
    if (this.position === log.end) return;
    const known = this.position >= 0 && log.since(this.position, (slot) => this.refreshSlot(slot));
    if (!known) {
      this.recounting(log.size);
      for (let slot = 0; slot < log.size; slot++) this.refreshSlot(slot);
      this.recounted();
    }
    this.position = log.end;
  }

  /** What the node gave when the sum was last refreshed. */
  protected givenBy(node: NodeInfo): S | undefined {
    const slot = this.log.slotOf(node);
    return slot === undefined ? undefined : this.given[slot];
  }

  protected givenAt(slot: number): S | undefined {
    return this.given[slot];
  }

  private refreshSlot(slot: number): void {
    const node = this.log.at(slot);
    const was = this.given[slot];
    const now = node && this.of(node, was, slot);
    if (now === was) return;
    if (was !== undefined) this.subtract(was, slot);
    if (now !== undefined) this.add(now, slot);
    this.given[slot] = now;
  }
}
