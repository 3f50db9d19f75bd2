/**
 * Sets of completion indexes, kept and written as runs: `1,3-5,7`. A job may have as many indexes as a number holds, so
 * nothing here costs more than the runs there are.
 */
export class Indexes {
  static readonly none = new Indexes([]);

  /** In order, with gaps between them; first and last included. */
  private readonly runs: readonly (readonly [number, number])[];

  private constructor(runs: readonly (readonly [number, number])[]) {
    this.runs = runs;
  }

  /** What a status or a success policy says; indexes from `limit` on are not the job's (any more). */
  static parse(text: string | undefined, limit: number): Indexes {
    if (!text) return Indexes.none;
    const runs: [number, number][] = [];
    for (const part of text.split(",")) {
      const dash = part.indexOf("-");
      const first = Number(dash < 0 ? part : part.slice(0, dash));
      const last = Math.min(dash < 0 ? first : Number(part.slice(dash + 1)), limit - 1);
      if (Number.isInteger(first) && Number.isInteger(last) && first <= last) runs.push([first, last]);
    }
    return new Indexes(joined(runs));
  }

  static of(indexes: Iterable<number>): Indexes {
    return new Indexes(joined(Array.from(indexes, (index): [number, number] => [index, index])));
  }

  get size(): number {
    let size = 0;
    for (const [first, last] of this.runs) size += last - first + 1;
    return size;
  }

  has(index: number): boolean {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.runs[middle]![1] < index) low = middle + 1;
      else high = middle;
    }
    return low < this.runs.length && this.runs[low]![0] <= index;
  }

  union(other: Indexes): Indexes {
    if (other.runs.length === 0) return this;
    if (this.runs.length === 0) return other;
    return new Indexes(joined([...this.runs, ...other.runs]));
  }

  /** How many indexes both have. */
  shared(other: Indexes): number {
    let count = 0;
    for (let a = 0, b = 0; a < this.runs.length && b < other.runs.length; ) {
      const [firstA, lastA] = this.runs[a]!;
      const [firstB, lastB] = other.runs[b]!;
      count += Math.max(0, Math.min(lastA, lastB) - Math.max(firstA, firstB) + 1);
      if (lastA < lastB) a++;
      else b++;
    }
    return count;
  }

  /** The lowest `count` indexes below `limit` that are not in the set. */
  firstMissing(count: number, limit: number): number[] {
    const missing: number[] = [];
    let next = 0;
    for (const [first, last] of this.runs) {
      for (; next < first && next < limit && missing.length < count; next++) missing.push(next);
      next = last + 1;
    }
    for (; next < limit && missing.length < count; next++) missing.push(next);
    return missing;
  }

  /** Two indexes that follow each other are written as a list (`1,2`), more as a range (`1-3`). */
  toString(): string {
    const parts: string[] = [];
    for (const [first, last] of this.runs) {
      if (first === last) parts.push(`${first}`);
      else parts.push(last === first + 1 ? `${first},${last}` : `${first}-${last}`);
    }
    return parts.join(",");
  }
}

function joined(runs: readonly (readonly [number, number])[]): [number, number][] {
  const out: [number, number][] = [];
  for (const [first, last] of runs.toSorted((a, b) => a[0] - b[0])) {
    const before = out.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else out.push([first, last]);
  }
  return out;
}
