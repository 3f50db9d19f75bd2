/**
 * Keeps a controller from looking at much for every little: an object with many pods is looked at once a while, however
 * fast its pods change. Few pods, or a change of the object itself, are looked at right away.
 */
export class Pace {
  private readonly seen = new Map<string, { version: string; until: number }>();

  /** Milliseconds to wait before the object is looked at; undefined where it is its turn. */
  wait(key: string, version: string, now: number): number | undefined {
    const known = this.seen.get(key);
    return known && known.version === version && known.until > now ? known.until - now : undefined;
  }

  /** It was looked at, `version` being what it was and `pods` how many it has. */
  looked(key: string, version: string, pods: number, now: number): void {
    if (pods <= FEW) this.seen.delete(key);
    else this.seen.set(key, { version, until: now + Math.min(pods / 4, LONGEST) });
  }

  forget(key: string): void {
    this.seen.delete(key);
  }
}

const FEW = 100;
/** Milliseconds. */
const LONGEST = 1000;
