/** The scheduler's figures, with upstream's names, labels and buckets. */
import { buckets } from "../base/metrics/histogram.ts";
import { MetricSet } from "../base/metrics/metric-set.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";

const doubling = (first: number, count: number): ReturnType<typeof buckets> =>
  buckets(Array.from({ length: count }, (_, i) => Number((first * 2 ** i).toPrecision(12))));

/** Attempts beyond this many share a label. */
const MOST_ATTEMPTS = 15;

export type AttemptResult = "scheduled" | "unschedulable" | "error";

export class SchedulerMetrics {
  private readonly set = new MetricSet();
  private queue: Pick<SchedulingQueue, "counts" | "rejectedCounts"> | undefined;
  private readonly attempts = this.set.counter(
    "scheduler_schedule_attempts_total",
    "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    ["profile", "result"],
  );
  private readonly durations = this.set.histogram(
    "scheduler_scheduling_attempt_duration_seconds",
    "[STABLE] Scheduling attempt latency in seconds (scheduling algorithm + binding)",
    ["profile", "result"],
    doubling(0.001, 15),
  );
  private readonly points = this.set.histogram(
    "scheduler_framework_extension_point_duration_seconds",
    "[STABLE] Latency for running all plugins of a specific extension point.",
    ["extension_point", "profile", "status"],
    doubling(0.0001, 12),
  );
  private readonly attemptsToSchedule = this.set.histogram(
    "scheduler_pod_scheduling_attempts",
    "[STABLE] Number of attempts to successfully schedule a pod.",
    [],
    doubling(1, 5),
  );
  private readonly sli = this.set.histogram(
    "scheduler_pod_scheduling_sli_duration_seconds",
    "[BETA] E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.",
    ["attempts"],
    doubling(0.01, 20),
  );
  private readonly incoming = this.set.counter(
    "scheduler_queue_incoming_pods_total",
    "[STABLE] Number of pods added to scheduling queues by event and queue type.",
    ["event", "queue"],
  );
  private readonly permits = this.set.histogram(
    "scheduler_permit_wait_duration_seconds",
    "[BETA] Duration of waiting on permit.",
    ["result"],
    doubling(0.001, 15),
  );
  private readonly preemptions = this.set.counter(
    "scheduler_preemption_attempts_total",
    "[STABLE] Total preemption attempts in the cluster till now",
  );
  private readonly victims = this.set.histogram(
    "scheduler_preemption_victims",
    "[STABLE] Number of selected preemption victims",
    [],
    doubling(1, 7),
  );

  constructor() {
    this.set.gauge(
      "scheduler_pending_pods",
      "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
      ["queue"],
      (gauge) => {
        for (const [queue, count] of Object.entries(this.queue?.counts() ?? {})) gauge.of(queue).set(count);
      },
    );
    this.set.gauge(
      "scheduler_unschedulable_pods",
      "[BETA] The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all plugins that caused it to not schedule and so this metric have meaning only when broken down by plugin.",
      ["plugin", "profile"],
      (gauge) => {
        for (const [profile, plugin, count] of this.queue?.rejectedCounts() ?? []) {
          gauge.of(plugin, profile).set(count);
        }
      },
    );
  }

  follow(queue: Pick<SchedulingQueue, "counts" | "rejectedCounts">): void {
    this.queue = queue;
  }

  /** Durations are in milliseconds. */
  attempt(profile: string, result: AttemptResult, ms: number): void {
    this.attempts.of(profile, result).add();
    this.durations.of(profile, result).observe(ms / 1000);
  }

  scheduled(attempts: number, ms: number): void {
    this.attemptsToSchedule.of().observe(attempts);
    const label = attempts >= MOST_ATTEMPTS ? `${MOST_ATTEMPTS}+` : String(attempts);
    this.sli.of(label).observe(ms / 1000);
  }

  extensionPoint(name: string, profile: string, rejected: boolean, ms: number): void {
    this.points.of(name, profile, rejected ? "Unschedulable" : "Success").observe(ms / 1000);
  }

  permitWaited(allowed: boolean, ms: number): void {
    this.permits.of(allowed ? "Success" : "Unschedulable").observe(ms / 1000);
  }

  cameIn(queue: string, event: string): void {
    this.incoming.of(event, queue).add();
  }

  /** A node was chosen, and `victims` pods must leave it. */
  preempted(victims: number): void {
    this.preemptions.of().add();
    this.victims.of().observe(victims);
  }

  exposition(): string {
    return this.set.exposition();
  }
}
