/**
 * autoscaling/v1: one CPU target in the spec. What v1 has no field for travels in annotations, so that a client of the
 * old version changes nothing that it does not know.
 */
import type { KubeObject } from "../object.ts";
import type { HorizontalPodAutoscaler as V1 } from "../schema/autoscaling.v1.generated.ts";
import type {
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
  HorizontalPodAutoscaler as V2,
} from "../schema/autoscaling.v2.generated.ts";

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
const ALL = [METRICS, CURRENT, CONDITIONS, BEHAVIOR];

function isCPU(metric: MetricSpec): boolean {
  return (
    metric.type === "Resource" &&
    metric.resource?.name === "cpu" &&
    metric.resource.target.averageUtilization !== undefined
  );
}

export function fromStored({ spec, status, ...object }: V2): KubeObject {
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  for (const name of ALL) delete annotations[name];
  const cpu = spec.metrics?.find(isCPU);
  const others = spec.metrics?.filter((metric) => metric !== cpu) ?? [];
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others);
  if (spec.behavior) annotations[BEHAVIOR] = JSON.stringify(spec.behavior);
  const nowCPU = status?.currentMetrics?.find(
    ({ type, resource }) =>
      type === "Resource" && resource?.name === "cpu" && resource.current.averageUtilization !== undefined,
  );
  if (status?.currentMetrics && status.currentMetrics.length > 0) {
    annotations[CURRENT] = JSON.stringify(status.currentMetrics);
  }
  if (status?.conditions && status.conditions.length > 0)
    annotations[CONDITIONS] = JSON.stringify(status.conditions);
  const { metrics: _m, behavior: _b, ...kept } = spec;
  const metadata = { ...object.metadata };
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  else delete metadata.annotations;
  const old: V1 = { ...object, apiVersion: "autoscaling/v1", metadata, spec: kept };
  if (cpu?.resource) old.spec.targetCPUUtilizationPercentage = cpu.resource.target.averageUtilization;
  if (status) {
    const { currentMetrics: _c, conditions: _k, ...rest } = status;
    old.status = { ...rest, currentReplicas: rest.currentReplicas ?? 0 };
    if (nowCPU?.resource)
      old.status.currentCPUUtilizationPercentage = nowCPU.resource.current.averageUtilization;
  }
  return old;
}

export function toStored(object: KubeObject): V2 {
  const { spec, status, ...old } = object as V1;
  const annotations: Record<string, string> = { ...old.metadata.annotations };
  const metrics = readList<MetricSpec>(annotations[METRICS]) ?? [];
  const behavior = readJSON(annotations[BEHAVIOR]) as HorizontalPodAutoscalerBehavior | undefined;
  const current = readList<MetricStatus>(annotations[CURRENT]);
  const conditions = readList<HorizontalPodAutoscalerCondition>(annotations[CONDITIONS]);
  for (const name of ALL) delete annotations[name];
  const metadata = { ...old.metadata };
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  else delete metadata.annotations;
  const { targetCPUUtilizationPercentage: percent, ...kept } = spec ?? ({} as V1["spec"]);
  if (percent !== undefined) {
    const target = { type: "Utilization", averageUtilization: percent };
    metrics.unshift({ type: "Resource", resource: { name: "cpu", target } });
  }
  const stored: V2 = { ...old, apiVersion: "autoscaling/v2", metadata, spec: { ...kept } };
  if (metrics.length > 0) stored.spec.metrics = metrics;
  if (behavior) stored.spec.behavior = behavior;
  if (status) {
    const { currentCPUUtilizationPercentage: _p, ...rest } = status;
    stored.status = rest;
    if (current) stored.status.currentMetrics = current;
    if (conditions) stored.status.conditions = conditions;
  }
  return stored;
}

/** What a client wrote into an annotation need not be JSON: it is then as if nothing were there. */
function readJSON(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readList<T>(text: string | undefined): T[] | undefined {
  const value = readJSON(text);
  return Array.isArray(value) ? (value as T[]) : undefined;
}
