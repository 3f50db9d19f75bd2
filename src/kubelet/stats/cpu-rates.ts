/** How much CPU is used now, from two looks at what was used in all. */

interface Look {
  at: number;
  total: number;
}

/** Milliseconds: a rate over less says little; one over more is not of now. */
const SHORTEST = 1000;
const LONGEST = 15_000;

export class CPURates {
  private readonly looks = new Map<string, { before: Look; last: Look; rate?: number }>();

  /** Nanoseconds of a core in each second; undefined at the first look. `total` in nanoseconds, `at` in milliseconds. */
  rate(key: string, total: number, at: number): number | undefined {
    const known = this.looks.get(key);
    const now = { at, total };
    // What counts less than before is another of the same name.
    if (!known || total < known.last.total) {
      this.looks.set(key, { before: now, last: now });
      return undefined;
    }
    const { before } = known;
    if (at - before.at >= SHORTEST)
      known.rate = Math.round(((total - before.total) * 1000) / (at - before.at));
    if (at - before.at >= LONGEST) known.before = now;
    known.last = now;
    return known.rate;
  }

  /** Forgets all that nobody looked at since then. */
  forget(since: number): void {
    for (const [key, { last }] of this.looks) if (last.at < since) this.looks.delete(key);
  }
}
