/**
 * What admission takes. Every request's steps are timed as a whole. A plugin has a time of its own only where it waited
 * for something, or refused (then since its step began): all others are done within microseconds, and to read the clock
 * around each of them would take longer than they do.
 */
import type { AdmissionObserver } from "../../admission/chain.ts";
import { buckets, Histogram, labelText, pushHead } from "../../base/metrics/histogram.ts";

const BUCKETS = buckets([0.005, 0.025, 0.1, 0.5, 1, 2.5]);

export class AdmissionMetrics implements AdmissionObserver {
  readonly clock: () => number;
  private readonly steps = new Map<string, Histogram>();
  private readonly plugins = new Map<string, Histogram>();

  /** `clock` gives milliseconds with fractions. */
  constructor(clock: () => number) {
    this.clock = clock;
  }

  step(type: string, operation: string, ms: number, rejected: boolean): void {
    seriesOf(this.steps, "", type, operation, rejected).observe(ms / 1000);
  }

  plugin(name: string, type: string, operation: string, ms: number, rejected: boolean): void {
    seriesOf(this.plugins, name, type, operation, rejected).observe(ms / 1000);
  }

  exposition(): string {
    const lines: string[] = [];
    const [own, step] = ["controller", "step"].map(
      (of) => `apiserver_admission_${of}_admission_duration_seconds`,
    );
    pushHead(
      lines,
      own!,
      "histogram",
      "[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).",
    );
    for (const [key, series] of this.plugins) series.push(lines, own!, labelsFrom(key));
    pushHead(
      lines,
      step!,
      "histogram",
      "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).",
    );
    for (const [key, series] of this.steps) series.push(lines, step!, labelsFrom(key));
    return `${lines.join("\n")}\n`;
  }
}

function seriesOf(
  all: Map<string, Histogram>,
  name: string,
  type: string,
  operation: string,
  rejected: boolean,
): Histogram {
  const key = `${name} ${operation} ${rejected} ${type}`;
  let series = all.get(key);
  if (!series) {
    series = new Histogram(BUCKETS);
    all.set(key, series);
  }
  return series;
}

function labelsFrom(key: string): string {
  const [name = "", operation = "", rejected = "", type = ""] = key.split(" ");
  return labelText({ ...(name === "" ? {} : { name }), operation, rejected, type });
}
