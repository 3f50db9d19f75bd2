/** One look at an autoscaler: what its status will say. */
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontal-pod-autoscaler.ts";
import type {
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from "../../api/schema/autoscaling.v2.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";

export class Look {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly now: number;
  current: number;
  /** As before, until a look comes to its end. */
  desired: number;
  metrics: MetricStatus[];
  rescaled = false;
  failed = false;
  private readonly conditions: HorizontalPodAutoscalerCondition[];

  constructor(autoscaler: HorizontalPodAutoscaler, now: number) {
    this.autoscaler = autoscaler;
    this.now = now;
    const { currentReplicas = 0, desiredReplicas = 0, currentMetrics, conditions } = autoscaler.status ?? {};
    this.current = currentReplicas;
    this.desired = desiredReplicas;
    this.metrics = [...(currentMetrics ?? [])];
    this.conditions = [...(conditions ?? [])];
  }

  /** The time of a condition moves only with its status. */
  set(type: string, status: "True" | "False", reason: string, message: string): void {
    const at = this.conditions.findIndex((condition) => condition.type === type);
    const was = this.conditions[at];
    const lastTransitionTime = was?.status === status ? was.lastTransitionTime : formatTime(this.now);
    const condition = { type, status, lastTransitionTime, reason, message };
    if (was) this.conditions[at] = condition;
    else this.conditions.push(condition);
  }

  status(): HorizontalPodAutoscalerStatus {
    const lastScaleTime = this.rescaled ? formatTime(this.now) : this.autoscaler.status?.lastScaleTime;
    return {
      ...(lastScaleTime !== undefined && { lastScaleTime }),
      currentReplicas: this.current,
      desiredReplicas: this.desired,
      currentMetrics: this.metrics,
      conditions: this.conditions,
    };
  }
}
