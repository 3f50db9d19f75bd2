/** Histograms on plain numbers, written in Prometheus' text form. */

/** The upper bounds of a histogram's buckets, and how Go prints them. */
export interface Buckets {
  readonly limits: readonly number[];
  readonly texts: readonly string[];
}

export function buckets(limits: readonly number[], texts: readonly string[] = limits.map(String)): Buckets {
  return { limits, texts };
}

export class Histogram {
  count = 0;
  sum = 0;
  private readonly counts: number[];
  private readonly buckets: Buckets;

  constructor(buckets: Buckets) {
    this.buckets = buckets;
    this.counts = new Array<number>(buckets.limits.length).fill(0);
  }

  observe(value: number): void {
    this.count++;
    this.sum += value;
    const { limits } = this.buckets;
    for (let i = 0; i < limits.length; i++) {
      if (value <= limits[i]!) {
        this.counts[i]!++;
        return;
      }
    }
  }

  /** The lines of one series; `labels` as in `a="b",c="d"`. */
  push(lines: string[], name: string, labels: string): void {
    let below = 0;
    const before = labels === "" ? "" : `${labels},`;
    for (const [i, limit] of this.buckets.texts.entries()) {
      below += this.counts[i]!;
      lines.push(`${name}_bucket{${before}le="${limit}"} ${below}`);
    }
    lines.push(`${name}_bucket{${before}le="+Inf"} ${this.count}`);
    const own = labels === "" ? "" : `{${labels}}`;
    lines.push(`${name}_sum${own} ${this.sum}`, `${name}_count${own} ${this.count}`);
  }
}

/** Label values are our own words or declared names: nothing in them needs escaping. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
}

export function pushHead(lines: string[], name: string, type: string, help: string): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}
