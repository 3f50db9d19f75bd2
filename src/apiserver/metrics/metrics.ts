/** GET /metrics: the requests' figures, the store's, and the process's. */
import { collectDefaultMetrics, Gauge, Registry as Metrics } from "prom-client";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { RouteTable } from "../endpoints/route-table.ts";
import type { Registry } from "../registry/registry.ts";
import type { RequestMetrics } from "./request-metrics.ts";

export type MetricsEndpoint = (request: ApiRequest) => Promise<void>;

export function metricsEndpoint(
  registry: Registry,
  routes: RouteTable,
  requests: RequestMetrics,
  version: { gitVersion: string },
): MetricsEndpoint {
  let metrics: Metrics | undefined;
  return async (request) => {
    metrics ??= ownMetrics(registry, routes, version);
    const text = (await metrics.metrics()) + requests.exposition();
    request.send(200, "text/plain; version=0.0.4; charset=utf-8", text);
  };
}

function ownMetrics(registry: Registry, routes: RouteTable, { gitVersion }: { gitVersion: string }): Metrics {
  const metrics = new Metrics();
  collectDefaultMetrics({ register: metrics });
  new Gauge({
    name: "kubernetes_build_info",
    help: "[ALPHA] A metric with a constant '1' value labeled by the version Kubernetes was built as.",
    labelNames: ["git_version"],
    registers: [metrics],
  }).set({ git_version: gitVersion }, 1);
  new Gauge({
    name: "apiserver_storage_objects",
    help: "[STABLE] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
    labelNames: ["resource"],
    registers: [metrics],
    collect() {
      for (const { resource, alternate } of routes.served) {
        if (resource.virtual || alternate) continue;
        const { plural, group } = resource;
        const name = group === "" ? plural : `${plural}.${group}`;
        this.set({ resource: name }, registry.cache.cache(resource).objects.size);
      }
    },
  });
  new Gauge({
    name: "apiserver_storage_size_bytes",
    help: "[STABLE] Size of the storage database file physically allocated in bytes.",
    labelNames: ["storage_cluster_id"],
    registers: [metrics],
    async collect() {
      const { backend, size } = await registry.store.status();
      this.set({ storage_cluster_id: backend }, size);
    },
  });
  return metrics;
}
