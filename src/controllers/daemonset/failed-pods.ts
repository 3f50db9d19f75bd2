/** How long a pod that ended on a node waits before it is replaced: longer each time it ends again. */

const FIRST = 1000;
const LONGEST = 15 * 60_000;

interface Failures {
  wait: number;
  /** When the last one was let go. */
  at: number;
}

/** By set and node. What was quiet for twice the longest wait is forgotten. */
export class FailedPods {
  private readonly failures = new Map<string, Failures>();

  /** Milliseconds that are left to wait. */
  left(set: string, node: string, now: number): number {
    const known = this.failures.get(`${set}/${node}`);
    return known ? Math.max(known.at + known.wait - now, 0) : 0;
  }

  count(set: string, node: string, now: number): void {
    for (const [key, { at }] of this.failures) {
      // In the order of their last failure, so the first that is fresh ends the search.
      if (now - at <= 2 * LONGEST) break;
      this.failures.delete(key);
    }
    const key = `${set}/${node}`;
    const known = this.failures.get(key);
    this.failures.delete(key);
    this.failures.set(key, { wait: known ? Math.min(known.wait * 2, LONGEST) : FIRST, at: now });
  }
}
