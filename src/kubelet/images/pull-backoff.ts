/** How long a pod waits before an image that could not be pulled is asked for again: 10 seconds, doubling to 5 minutes. */

interface Wait {
  ms: number;
  since: number;
  /** What the last pull failed of. */
  message: string;
}

const FIRST = 10_000;
const LONGEST = 300_000;

export class PullBackoff {
  private readonly waits = new Map<string, Wait>();

  /** What the last pull failed of while the wait is on, else undefined. */
  waiting(podUID: string, image: string, now: number): string | undefined {
    const wait = this.waits.get(keyOf(podUID, image));
    return wait && now - wait.since < wait.ms ? wait.message : undefined;
  }

  failed(podUID: string, image: string, now: number, message: string): void {
    const key = keyOf(podUID, image);
    const before = this.waits.get(key);
    const isOver = !before || now - before.since > 2 * LONGEST;
    this.waits.set(key, { ms: isOver ? FIRST : Math.min(before.ms * 2, LONGEST), since: now, message });
  }

  succeeded(podUID: string, image: string, now: number): void {
    this.waits.delete(keyOf(podUID, image));
    for (const [key, { since }] of this.waits) if (now - since > 2 * LONGEST) this.waits.delete(key);
  }
}

function keyOf(podUID: string, image: string): string {
  return `${podUID}_${image}`;
}
