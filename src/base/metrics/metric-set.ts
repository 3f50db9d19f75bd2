/**
 * Figures that a component keeps for Prometheus, written in its text form on demand. A figure is declared once with its
 * help and label names; a series comes into being when it is first touched.
 *
 *   const set = new MetricSet();
 *   const retries = set.counter("workqueue_retries_total", "[BETA] Total number of retries", ["name"]);
 *   retries.of("deployment").add();
 */
import { type Buckets, Histogram, labelText, pushHead } from "./histogram.ts";

export class Amount {
  value = 0;

  add(more = 1): void {
    this.value += more;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** All series of one name. Label values must be our own words or declared names: they are not escaped. */
export class Family<S> {
  private readonly series = new Map<string, { labels: string; series: S }>();
  private readonly labelNames: readonly string[];
  private readonly make: () => S;

  constructor(labelNames: readonly string[], make: () => S) {
    this.labelNames = labelNames;
    this.make = make;
  }

  /** The series of these label values, in the order of the names. Keep it where it is touched often. */
  of(...values: readonly string[]): S {
    const key = values.join("\n");
    let entry = this.series.get(key);
    if (!entry) {
      const labels = labelText(Object.fromEntries(this.labelNames.map((name, i) => [name, values[i] ?? ""])));
      entry = { labels, series: this.make() };
      this.series.set(key, entry);
    }
    return entry.series;
  }

  *[Symbol.iterator](): IterableIterator<{ labels: string; series: S }> {
    yield* this.series.values();
  }
}

type Writer = (lines: string[]) => void;

export class MetricSet {
  private readonly writers: Writer[] = [];

  counter(name: string, help: string, labelNames: readonly string[] = []): Family<Amount> {
    return this.amounts(name, help, "counter", labelNames);
  }

  /** `collect` brings the series up to date right before they are written. */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[] = [],
    collect?: (gauge: Family<Amount>) => void,
  ): Family<Amount> {
    return this.amounts(name, help, "gauge", labelNames, collect);
  }

  histogram(name: string, help: string, labelNames: readonly string[], buckets: Buckets): Family<Histogram> {
    const family = new Family(labelNames, () => new Histogram(buckets));
    this.writers.push((lines) => {
      pushHead(lines, name, "histogram", help);
      for (const { labels, series } of family) series.push(lines, name, labels);
    });
    return family;
  }

  exposition(): string {
    const lines: string[] = [];
    for (const write of this.writers) write(lines);
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }

  private amounts(
    name: string,
    help: string,
    type: string,
    labelNames: readonly string[],
    collect?: (family: Family<Amount>) => void,
  ): Family<Amount> {
    const family = new Family(labelNames, () => new Amount());
    this.writers.push((lines) => {
      collect?.(family);
      pushHead(lines, name, type, help);
      for (const { labels, series } of family) {
        lines.push(labels === "" ? `${name} ${series.value}` : `${name}{${labels}} ${series.value}`);
      }
    });
    return family;
  }
}
