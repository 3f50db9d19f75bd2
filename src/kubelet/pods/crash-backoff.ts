/** How long containers that end again and again wait before they are started again. */
export const FIRST_WAIT = 10_000;
export const LONGEST_WAIT = 300_000;

interface Entry {
  wait: number;
  updated: number;
}

export class CrashBackoff {
  readonly #entries = new Map<string, Entry>();

  /** When the container, which ended at `finishedAt`, may start; and how long it waits, while it has to. */
  waits(key: string, finishedAt: number, now: number): { until: number; wait: number } | undefined {
    const entry = this.#entries.get(key);
    if (!entry || isOver(entry, finishedAt)) return undefined;
    const until = finishedAt + entry.wait;
    return until > now ? { until, wait: entry.wait } : undefined;
  }

  /** The container is started again after it ended at `finishedAt`: should it end soon, it waits twice as long. */
  restarted(key: string, finishedAt: number, now: number): void {
    const entry = this.#entries.get(key);
    const wait = !entry || isOver(entry, finishedAt) ? FIRST_WAIT : Math.min(entry.wait * 2, LONGEST_WAIT);
    this.#entries.set(key, { wait, updated: now });
  }
}

/** Who ran for twice the longest wait is forgiven. */
function isOver({ updated }: Entry, finishedAt: number): boolean {
  return finishedAt - updated > 2 * LONGEST_WAIT;
}
