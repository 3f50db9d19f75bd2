/** The figures of work queues, under upstream's names (k8s.io/component-base/metrics/prometheus/workqueue). */
import { buckets } from "../../base/metrics/histogram.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";
import type { WorkQueueObserver } from "./work-queue.ts";

const NAME = ["name"];
/** Powers of ten from 10 ns to 10 s, printed as Go prints the products. */
const SECONDS = buckets(
  [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10],
  [
    "1e-08",
    "1e-07",
    "1e-06",
    "9.999999999999999e-06",
    "9.999999999999999e-05",
    "0.001",
    "0.01",
    "0.1",
    "1",
    "10",
  ],
);

/** Since when each key of a queue is worked on. */
type Working = ReadonlyMap<string, number>;

export class WorkQueueMetrics {
  /** Controllers may share a name, as upstream's do. */
  private readonly queues = new Map<string, Working[]>();
  private readonly ticks: () => number;
  private readonly families: ReturnType<typeof familiesOf>;

  /** `ticks` gives milliseconds with fractions, from any beginning. */
  constructor(set: MetricSet, ticks: () => number) {
    this.ticks = ticks;
    this.families = familiesOf(set);
    const running = (pick: (spans: readonly number[]) => number) => (queues: readonly Working[]) =>
      pick(queues.flatMap((since) => [...since.values()].map((began) => (ticks() - began) / 1000)));
    const sum = running((spans) => spans.reduce((all, span) => all + span, 0));
    const longest = running((spans) => Math.max(0, ...spans));
    for (const [name, help, of] of [
      [
        "workqueue_unfinished_work_seconds",
        "[ALPHA] How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
        sum,
      ],
      [
        "workqueue_longest_running_processor_seconds",
        "[ALPHA] How many seconds has the longest running processor for workqueue been running.",
        longest,
      ],
    ] as const) {
      set.gauge(name, help, NAME, (gauge) => {
        for (const [queue, working] of this.queues) gauge.of(queue).set(of(working));
      });
    }
  }

  /** The observer of the queue of that name. */
  of(name: string): WorkQueueObserver {
    const { adds, depth, waited, worked, retries } = this.families;
    const series = {
      adds: adds.of(name),
      depth: depth.of(name),
      waited: waited.of(name),
      worked: worked.of(name),
      retries: retries.of(name),
    };
    const added = new Map<string, number>();
    const since = new Map<string, number>();
    this.queues.set(name, [...(this.queues.get(name) ?? []), since]);
    const span = (from: Map<string, number>, key: string): number => {
      const began = from.get(key);
      from.delete(key);
      return began === undefined ? 0 : (this.ticks() - began) / 1000;
    };
    return {
      added: (key) => {
        series.adds.add();
        series.depth.add();
        added.set(key, this.ticks());
      },
      began: (key) => {
        series.depth.add(-1);
        series.waited.observe(span(added, key));
        since.set(key, this.ticks());
      },
      ended: (key) => series.worked.observe(span(since, key)),
      retried: () => series.retries.add(),
    };
  }
}

function familiesOf(set: MetricSet) {
  return {
    depth: set.gauge("workqueue_depth", "[BETA] Current depth of workqueue", NAME),
    adds: set.counter("workqueue_adds_total", "[BETA] Total number of adds handled by workqueue", NAME),
    waited: set.histogram(
      "workqueue_queue_duration_seconds",
      "[BETA] How long in seconds an item stays in workqueue before being requested.",
      NAME,
      SECONDS,
    ),
    worked: set.histogram(
      "workqueue_work_duration_seconds",
      "[BETA] How long in seconds processing an item from workqueue takes.",
      NAME,
      SECONDS,
    ),
    retries: set.counter(
      "workqueue_retries_total",
      "[BETA] Total number of retries handled by workqueue",
      NAME,
    ),
  };
}
