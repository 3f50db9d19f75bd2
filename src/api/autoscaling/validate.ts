import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isPathSegmentName } from "../../machinery/names/names.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { eachInvalid, nonNegative } from "../core/pod/checks.ts";
import { isNegative, isZero } from "../core/pod/quantities.ts";
import type {
  HorizontalPodAutoscaler as Autoscaler,
  CrossVersionObjectReference,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from "../schema/autoscaling.v2.generated.ts";

const SPEC = FieldPath.root("spec");
const STATUS = FieldPath.root("status");
const MAX_WINDOW = 3600;
const MAX_PERIOD = 1800;
const SOURCES = new Map<string, "containerResource" | "external" | "object" | "pods" | "resource">([
  ["ContainerResource", "containerResource"],
  ["External", "external"],
  ["Object", "object"],
  ["Pods", "pods"],
  ["Resource", "resource"],
]);

export function validateAutoscaler({ spec }: Autoscaler): FieldError[] {
  const errors: FieldError[] = [];
  const min = spec.minReplicas;
  if (min !== undefined && min < 1) {
    errors.push(invalidValue(SPEC.child("minReplicas"), min, "must be greater than or equal to 1"));
  }
  if (!(spec.maxReplicas >= 1)) {
    errors.push(invalidValue(SPEC.child("maxReplicas"), spec.maxReplicas ?? 0, "must be greater than 0"));
  }
  if (min !== undefined && (spec.maxReplicas ?? 0) < min) {
    const why = "must be greater than or equal to `minReplicas`";
    errors.push(invalidValue(SPEC.child("maxReplicas"), spec.maxReplicas ?? 0, why));
  }
  validateReference(spec.scaleTargetRef, SPEC.child("scaleTargetRef"), errors);
  spec.metrics?.forEach((metric, i) => {
    validateMetric(metric, SPEC.child("metrics").index(i), errors);
  });
  for (const name of ["scaleUp", "scaleDown"] as const) {
    const rules = spec.behavior?.[name];
    if (rules) validateRules(rules, SPEC.child("behavior", name), errors);
  }
  return errors;
}

function validateReference(
  ref: CrossVersionObjectReference | undefined,
  at: FieldPath,
  errors: FieldError[],
): void {
  for (const name of ["kind", "name"] as const) {
    const value = ref?.[name];
    if (!value) errors.push(required(at.child(name)));
    else eachInvalid(errors, isPathSegmentName(value), at.child(name), value);
  }
}

function validateMetric(metric: MetricSpec, at: FieldPath, errors: FieldError[]): void {
  if (!metric.type) {
    errors.push(required(at.child("type"), "must specify a metric source type"));
    return;
  }
  const wanted = SOURCES.get(metric.type);
  if (!wanted) {
    errors.push(notSupported(at.child("type"), metric.type, [...SOURCES.keys()]));
    return;
  }
  const given = [...SOURCES.values()].filter((name) => metric[name] !== undefined);
  if (given.length > 1) {
    for (const name of given.filter((each) => each !== wanted)) {
      const why = "must populate the given metric source only";
      errors.push(forbiddenField(at.child(name), why));
    }
  }
  if (!metric[wanted]) {
    const why = "must populate information for the given metric source";
    errors.push(required(at.child(wanted), why));
    return;
  }
  validateSource(metric, at, errors);
}

function validateSource(metric: MetricSpec, at: FieldPath, errors: FieldError[]): void {
  const { resource, containerResource, pods, object, external } = metric;
  for (const [name, source] of [
    ["resource", resource],
    ["containerResource", containerResource],
  ] as const) {
    if (!source) continue;
    const path = at.child(name);
    if (!source.name) errors.push(required(path.child("name"), "must specify a resource name"));
    if (name === "containerResource" && !containerResource?.container) {
      errors.push(required(path.child("container"), "must specify a container"));
    }
    validateTarget(source.target, path.child("target"), errors);
    const { averageUtilization, averageValue } = source.target ?? {};
    const target = path.child("target", "averageUtilization");
    if (averageUtilization === undefined && averageValue === undefined) {
      errors.push(required(target, "must set either a target raw value or a target utilization"));
    }
    if (averageUtilization !== undefined && averageValue !== undefined) {
      const why = "may not set both a target raw value and a target utilization";
      errors.push(forbiddenField(path.child("target", "averageValue"), why));
    }
  }
  for (const [name, source] of [
    ["pods", pods],
    ["object", object],
    ["external", external],
  ] as const) {
    if (!source) continue;
    const path = at.child(name);
    const metricName = source.metric?.name;
    if (!metricName) errors.push(required(path.child("metric", "name"), "must specify a metric name"));
    else eachInvalid(errors, isPathSegmentName(metricName), path.child("metric", "name"), metricName);
    if (source.metric?.selector) {
      errors.push(...validateLabelSelector(source.metric.selector, path.child("metric", "selector")));
    }
    validateTarget(source.target, path.child("target"), errors);
    const { averageValue, value } = source.target ?? {};
    if (name === "pods" && averageValue === undefined) {
      errors.push(
        required(path.child("target", "averageValue"), "must specify a positive target averageValue"),
      );
    }
    if (name !== "pods" && averageValue === undefined && value === undefined) {
      const why = "must set either a target value for metric or a per-pod target";
      errors.push(required(path.child("target", "averageValue"), why));
    }
    if (name === "external" && averageValue !== undefined && value !== undefined) {
      const why = "may not set both a target value for metric and a per-pod target";
      errors.push(forbiddenField(path.child("target", "value"), why));
    }
  }
  if (object) validateReference(object.describedObject, at.child("object", "describedObject"), errors);
}

function validateTarget(target: MetricTarget | undefined, at: FieldPath, errors: FieldError[]): void {
  const types = ["Utilization", "Value", "AverageValue"];
  if (!target?.type) errors.push(required(at.child("type"), "must specify a metric target type"));
  else if (!types.includes(target.type)) {
    const why = "must be either Utilization, Value, or AverageValue";
    errors.push(invalidValue(at.child("type"), target.type, why));
  }
  for (const name of ["value", "averageValue"] as const) {
    const quantity = target?.[name];
    if (quantity === undefined || !(isNegative(quantity) || isZero(quantity))) continue;
    errors.push(invalidValue(at.child(name), quantity, "must be positive"));
  }
  const share = target?.averageUtilization;
  if (share !== undefined && share < 1) {
    errors.push(invalidValue(at.child("averageUtilization"), share, "must be greater than 0"));
  }
}

function validateRules(rules: HPAScalingRules, at: FieldPath, errors: FieldError[]): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  if (window !== undefined && window < 0) {
    const why = "must be greater than or equal to zero";
    errors.push(invalidValue(at.child("stabilizationWindowSeconds"), window, why));
  }
  if (window !== undefined && window > MAX_WINDOW) {
    const why = `must be less than or equal to ${MAX_WINDOW}`;
    errors.push(invalidValue(at.child("stabilizationWindowSeconds"), window, why));
  }
  const choices = ["Disabled", "Max", "Min"];
  if (selectPolicy !== undefined && !choices.includes(selectPolicy)) {
    errors.push(notSupported(at.child("selectPolicy"), selectPolicy, choices));
  }
  if (policies.length === 0) errors.push(required(at.child("policies"), "must specify at least one Policy"));
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const path = at.child("policies").index(i);
    if (type !== "Pods" && type !== "Percent") {
      errors.push(notSupported(path.child("type"), type ?? "", ["Percent", "Pods"]));
    }
    if (!(value > 0)) errors.push(invalidValue(path.child("value"), value ?? 0, "must be greater than zero"));
    if (!(periodSeconds > 0)) {
      errors.push(invalidValue(path.child("periodSeconds"), periodSeconds ?? 0, "must be greater than zero"));
    }
    if (periodSeconds > MAX_PERIOD) {
      const why = `must be less than or equal to ${MAX_PERIOD}`;
      errors.push(invalidValue(path.child("periodSeconds"), periodSeconds, why));
    }
  });
  if (tolerance !== undefined && isNegative(tolerance)) {
    errors.push(invalidValue(at.child("tolerance"), tolerance, "must be greater than or equal to 0"));
  }
}

export function validateAutoscalerStatus({ status }: Autoscaler): FieldError[] {
  const errors: FieldError[] = [];
  nonNegative(errors, status?.currentReplicas, STATUS, "currentReplicas");
  nonNegative(errors, status?.desiredReplicas, STATUS, "desiredReplicas");
  return errors;
}
