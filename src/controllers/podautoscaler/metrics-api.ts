/** The metrics that autoscalers go by, and their reading from the metrics APIs, which add-ons serve. */
import { parseApiVersion } from "../../api/object.ts";
import type { CrossVersionObjectReference } from "../../api/schema/autoscaling.v2.generated.ts";
import type { Client } from "../../client/client.ts";
import { discover } from "../../client/discovery.ts";
import { isReason } from "../../client/status.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { parseDuration } from "../../machinery/time/duration.ts";
import { MetricError, type PodMetric, type PodMetrics } from "./replica-calculator.ts";

/** Amounts are in thousandths. Each throws MetricError where there is nothing to go by. */
export interface Metrics {
  /** What each pod uses of a resource, as a whole or in one container. */
  resource(name: string, namespace: string, selector: string, container?: string): Promise<PodMetrics>;
  /** A custom metric of each pod. */
  pods(metric: string, namespace: string, selector: string, metricSelector: string): Promise<PodMetrics>;
  /** A custom metric of one object. */
  object(
    metric: string,
    namespace: string,
    reference: CrossVersionObjectReference,
    metricSelector: string,
  ): Promise<number>;
  /** The values of a metric from outside of the cluster. */
  external(metric: string, namespace: string, metricSelector: string): Promise<number[]>;
}

interface ResourceMetrics {
  items?: {
    metadata: { name: string };
    timestamp: string;
    window: string;
    containers?: { name: string; usage: Record<string, string> }[];
  }[];
}

interface MetricValues {
  items?: {
    describedObject?: { name?: string };
    timestamp?: string;
    windowSeconds?: number;
    value: string;
  }[];
}

/** What a custom metric is taken to cover where it does not say. */
const DEFAULT_WINDOW = 60;
const CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2";
const decoder = new TextDecoder();

export function metricsFromAPI(client: Client): Metrics {
  const read = async <T>(
    api: string,
    path: string,
    query: Record<string, string>,
    what: string,
  ): Promise<T> => {
    const asked = Object.entries(query).filter(([, value]) => value !== "");
    try {
      const { body } = await client.request({
        method: "GET",
        path,
        query: asked.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&"),
      });
      return JSON.parse(decoder.decode(body)) as T;
    } catch (error) {
      // A path that nobody serves names nothing; users know the resource better than the path.
      const isAbsent = isReason(error, "NotFound") && !error.details?.name;
      const why = isAbsent ? `the server could not find the requested resource (get ${what})` : textOf(error);
      throw new MetricError(`unable to fetch metrics from ${api} metrics API: ${why}`);
    }
  };

  const resource: Metrics["resource"] = async (name, namespace, selector, container) => {
    const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
    const query = { labelSelector: selector };
    const { items = [] } = await read<ResourceMetrics>("resource", path, query, "pods.metrics.k8s.io");
    if (items.length === 0) throw new MetricError("no metrics returned from resource metrics API");
    const metrics = new Map<string, PodMetric>();
    for (const { metadata, timestamp, window, containers = [] } of items) {
      const asked =
        container === undefined ? containers : containers.filter((each) => each.name === container);
      const amounts = asked.map(({ usage }) => usage[name]);
      // A pod of which a part is not known is not known.
      if ((container !== undefined && asked.length === 0) || amounts.includes(undefined)) continue;
      const milli = amounts.reduce((sum, amount) => sum + Quantity.parse(amount!).milliValue(), 0);
      metrics.set(metadata.name, {
        milli,
        at: Date.parse(timestamp),
        window: Number(parseDuration(window)) / 1e6,
      });
    }
    return metrics;
  };

  const pods: Metrics["pods"] = async (metric, namespace, selector, metricSelector) => {
    const path = `${CUSTOM}/namespaces/${namespace}/pods/*/${encodeURIComponent(metric)}`;
    const query = { labelSelector: selector, metricLabelSelector: metricSelector };
    const { items = [] } = await read<MetricValues>("custom", path, query, "pods.custom.metrics.k8s.io");
    if (items.length === 0) throw new MetricError("no metrics returned from custom metrics API");
    const metrics = new Map<string, PodMetric>();
    for (const { describedObject, timestamp = "", windowSeconds = DEFAULT_WINDOW, value } of items) {
      const at = Date.parse(timestamp) || 0;
      const milli = Quantity.parse(value).milliValue();
      metrics.set(describedObject?.name ?? "", { milli, at, window: windowSeconds * 1000 });
    }
    return metrics;
  };

  const object: Metrics["object"] = async (
    metric,
    namespace,
    { apiVersion = "", kind, name },
    metricSelector,
  ) => {
    const { group } = parseApiVersion(apiVersion);
    const isNamespace = group === "" && kind === "Namespace";
    const what = isNamespace ? "metrics" : await resourceName(client, group, kind);
    const named = isNamespace ? `${name}/metrics` : `${namespace}/${what}/${encodeURIComponent(name)}`;
    const path = `${CUSTOM}/namespaces/${named}/${encodeURIComponent(metric)}`;
    const query = { metricLabelSelector: metricSelector };
    const asked = `${what}.custom.metrics.k8s.io`;
    const { items = [] } = await read<MetricValues>("custom", path, query, asked);
    const [first] = items;
    if (!first) throw new MetricError("no metrics returned from custom metrics API");
    return Quantity.parse(first.value).milliValue();
  };

  const external: Metrics["external"] = async (metric, namespace, metricSelector) => {
    const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${encodeURIComponent(metric)}`;
    const query = { labelSelector: metricSelector };
    const asked = `${metric}.external.metrics.k8s.io`;
    const { items = [] } = await read<MetricValues>("external", path, query, asked);
    if (items.length === 0) throw new MetricError("no metrics returned from external metrics API");
    return items.map(({ value }) => Quantity.parse(value).milliValue());
  };

  return { resource, pods, object, external };
}

async function resourceName(client: Client, group: string, kind: string): Promise<string> {
  const { resources } = await discover(client);
  const found = resources.find((each) => each.group === group && each.kind === kind);
  if (!found) throw new MetricError(`no matches for kind "${kind}" in group "${group}"`);
  return group === "" ? found.plural : `${found.plural}.${group}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
