/**
 * Changes that came while pods were in flight. Whoever comes back rejected is held against all that came since it was
 * taken, so that nothing that would have helped is missed. Kept only as long as the oldest pod in flight needs.
 */
import type { KubeObject } from "../../api/object.ts";

export interface ClusterChange {
  /** `plural.group`. */
  resource: string;
  now?: KubeObject;
  was?: KubeObject;
  /** The only pod that it can help: a change of a pod that has no node yet. */
  own?: string;
  /** The only pod that it cannot help: what it gave back is what it would take again. */
  except?: string;
}

export class ChangeLog {
  private changes: ClusterChange[] = [];
  /** How many were forgotten before the first of `changes`. */
  private dropped = 0;

  /** What comes next has this number. */
  get next(): number {
    return this.dropped + this.changes.length;
  }

  add(change: ClusterChange): void {
    this.changes.push(change);
  }

  *since(number: number): Generator<ClusterChange> {
    for (let i = Math.max(number - this.dropped, 0); i < this.changes.length; i++) yield this.changes[i]!;
  }

  /** Nobody asks for what came before any more. */
  forgetBefore(number: number): void {
    const count = number - this.dropped;
    if (count <= 0) return;
    if (count >= this.changes.length) this.changes = [];
    // Cutting the array every time would cost as much as it holds.
    else if (count * 2 < this.changes.length) return;
    else this.changes = this.changes.slice(count);
    this.dropped = number;
  }
}
