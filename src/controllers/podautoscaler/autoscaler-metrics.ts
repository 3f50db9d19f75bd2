/** The figures of autoscalers, under upstream's names (pkg/controller/podautoscaler/monitor). */
import { buckets } from "../../base/metrics/histogram.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";

const PREFIX = "horizontal_pod_autoscaler_controller_";
const SECONDS = buckets(Array.from({ length: 15 }, (_, i) => 2 ** i / 1000));
const ACTION = "The label 'action' should be either 'scale_down', 'scale_up', or 'none'.";
const ERROR = "the label 'error' should be either 'spec', 'internal', or 'none'.";
const BOTH =
  "Note that if both spec and internal errors happen during a reconciliation, the first one to occur is reported in `error` label.";
const TYPE = "The label 'metric_type' corresponds to HPA.spec.metrics[*].type";

export class AutoscalerMetrics {
  private readonly families: ReturnType<typeof familiesOf>;

  constructor(set: MetricSet) {
    this.families = familiesOf(set);
  }

  /** `desired` is undefined where nothing was scaled. */
  reconciled(current: number, desired: number | undefined, failed: boolean, ms: number): void {
    const labels = [actionOf(current, desired), errorOf(failed)];
    this.families.reconciliations.of(...labels).add();
    this.families.reconciling.of(...labels).observe(ms / 1000);
  }

  /** `proposed` is undefined where the metric could not be gone by. */
  computed(type: string, current: number, proposed: number | undefined, ms: number): void {
    const labels = [actionOf(current, proposed), errorOf(proposed === undefined), type];
    this.families.computations.of(...labels).add();
    this.families.computing.of(...labels).observe(ms / 1000);
  }
}

function actionOf(current: number, desired: number | undefined): string {
  if (desired === undefined || desired === current) return "none";
  return desired > current ? "scale_up" : "scale_down";
}

/** Specs that are wrong are refused before they are seen here. */
function errorOf(failed: boolean): string {
  return failed ? "internal" : "none";
}

function familiesOf(set: MetricSet) {
  const labels = ["action", "error"];
  return {
    reconciliations: set.counter(
      `${PREFIX}reconciliations_total`,
      `[BETA] Number of reconciliations of HPA controller. ${ACTION} Also, ${ERROR} ${BOTH}`,
      labels,
    ),
    reconciling: set.histogram(
      `${PREFIX}reconciliation_duration_seconds`,
      `[BETA] The time(seconds) that the HPA controller takes to reconcile once. ${ACTION} Also, ${ERROR} ${BOTH}`,
      labels,
      SECONDS,
    ),
    computations: set.counter(
      `${PREFIX}metric_computation_total`,
      `[BETA] Number of metric computations. ${ACTION} Also, ${ERROR} ${TYPE}`,
      [...labels, "metric_type"],
    ),
    computing: set.histogram(
      `${PREFIX}metric_computation_duration_seconds`,
      `[BETA] The time(seconds) that the HPA controller takes to calculate one metric. ${ACTION} ${ERROR.replace("the", "The")} ${TYPE}`,
      [...labels, "metric_type"],
      SECONDS,
    ),
  };
}
