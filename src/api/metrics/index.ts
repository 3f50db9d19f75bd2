/**
 * The resource metrics API. Its kinds are answered from what a collector knows, so they are no part of the list of all
 * built-in resources: a server that has a collector adds them.
 */
import type { Resource } from "../resource.ts";
import type { MetricsSource } from "./metrics-source.ts";
import { nodeMetrics } from "./node-metrics.ts";
import { podMetrics } from "./pod-metrics.ts";

export function metricsResources(source: MetricsSource): Resource[] {
  const resources: unknown[] = [nodeMetrics(source), podMetrics(source)];
  return resources as Resource[];
}
