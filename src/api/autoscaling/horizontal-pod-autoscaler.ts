import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { observingStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type {
  HorizontalPodAutoscaler as Autoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
} from "../schema/autoscaling.v2.generated.ts";
import { fromStored, toStored } from "./v1.ts";
import { validateAutoscaler, validateAutoscalerStatus } from "./validate.ts";

function setDefaults(object: Autoscaler): void {
  object.spec ??= {} as HorizontalPodAutoscalerSpec;
  const { spec } = object;
  spec.minReplicas ??= 1;
  if (!spec.metrics || spec.metrics.length === 0) {
    spec.metrics = [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ];
  }
  if (!spec.behavior) return;
  const { behavior } = spec;
  behavior.scaleUp = withDefaults(behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
  behavior.scaleDown = withDefaults(behavior.scaleDown, {
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  });
}

function withDefaults(rules: HPAScalingRules | undefined, defaults: HPAScalingRules): HPAScalingRules {
  const out: HPAScalingRules = { ...defaults };
  for (const [name, value] of Object.entries(rules ?? {})) {
    if (value !== undefined) Object.assign(out, { [name]: value });
  }
  return out;
}

function targets({ spec, status }: Autoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const texts = metrics.slice(0, 2).map((metric, i) => targetText(metric, status?.currentMetrics?.[i]));
  const more = metrics.length > 2 ? ` + ${metrics.length - 2} more...` : "";
  return texts.join(", ") + more;
}

function targetText(metric: MetricSpec, current: MetricStatus | undefined): string {
  const source =
    metric.resource ?? metric.containerResource ?? metric.pods ?? metric.object ?? metric.external;
  const now = (
    current?.resource ??
    current?.containerResource ??
    current?.pods ??
    current?.object ??
    current?.external
  )?.current;
  const { averageUtilization, averageValue, value } = source?.target ?? {};
  const label =
    metric.type === "Resource"
      ? `${metric.resource?.name}: `
      : metric.type === "ContainerResource"
        ? `${metric.containerResource?.container}/${metric.containerResource?.name}: `
        : "";
  if (averageUtilization !== undefined) {
    const is = now?.averageUtilization === undefined ? "<unknown>" : `${now.averageUtilization}%`;
    return `${label}${is}/${averageUtilization}%`;
  }
  const average = averageValue !== undefined;
  const is = (average ? now?.averageValue : now?.value) ?? "<unknown>";
  const suffix = average && (metric.type === "Object" || metric.type === "External") ? " (avg)" : "";
  return `${label}${is}/${average ? averageValue : (value ?? "<auto>")}${suffix}`;
}

/** Keeps the number of a workload's pods to what metrics ask for. */
export type HorizontalPodAutoscaler = Autoscaler;

export const HorizontalPodAutoscaler = defineResource<Autoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  scope: "Namespaced",
  shortNames: ["hpa"],
  categories: ["all"],
  definition: "autoscaling.v2.HorizontalPodAutoscaler",
  alternates: [
    {
      group: "autoscaling",
      version: "v1",
      kind: "HorizontalPodAutoscaler",
      definition: "autoscaling.v1.HorizontalPodAutoscaler",
      toStored,
      fromStored,
    },
  ],
  validateName: nameIsDNSSubdomain,
  defaults: setDefaults,
  prepareForCreate(object) {
    object.status = { desiredReplicas: 0, currentReplicas: 0 };
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate: validateAutoscaler,
  subresources: { status: observingStatus(validateAutoscalerStatus) },
  columns: [
    nameColumn,
    {
      name: "Reference",
      type: "string",
      cell: ({ spec }) => `${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}`,
    },
    { name: "Targets", type: "string", cell: targets },
    { name: "MinPods", type: "string", cell: ({ spec }) => String(spec.minReplicas ?? "<unset>") },
    { name: "MaxPods", type: "integer", cell: ({ spec }) => spec.maxReplicas },
    { name: "Replicas", type: "integer", cell: ({ status }) => status?.currentReplicas ?? 0 },
    ageColumn,
  ],
});
