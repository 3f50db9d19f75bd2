/** GET /metrics: the requests' figures, the store's, and the process's. */
import { Counter, collectDefaultMetrics, Gauge, Registry as Metrics } from "prom-client";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { RouteTable } from "../endpoints/route-table.ts";
import type { Registry } from "../registry/registry.ts";
import type { VERSION } from "../version.ts";
import type { AdmissionMetrics } from "./admission-metrics.ts";
import type { RequestMetrics } from "./request-metrics.ts";

export type MetricsEndpoint = (request: ApiRequest) => Promise<void>;

export interface MetricsSources {
  registry: Registry;
  routes: RouteTable;
  requests: RequestMetrics;
  admission: AdmissionMetrics;
  /** Of the other components in this process. */
  others: readonly (() => string)[];
  version: typeof VERSION;
}

export function metricsEndpoint(sources: MetricsSources): MetricsEndpoint {
  const { registry, routes, requests, admission, others, version } = sources;
  let metrics: Metrics | undefined;
  return async (request) => {
    metrics ??= ownMetrics(registry, routes, version);
    const own = (await metrics.metrics()) + requests.exposition() + admission.exposition();
    const text = others.reduce((all, exposition) => all + exposition(), own);
    request.send(200, "text/plain; version=0.0.4; charset=utf-8", text);
  };
}

/** Its counters begin where they are made, which is at the first look; they are to tell of the whole process. */
function addCPUSoFar(metrics: Metrics): void {
  const { user, system } = process.cpuUsage();
  const amounts = { user_seconds: user, system_seconds: system, seconds: user + system };
  for (const [name, micros] of Object.entries(amounts)) {
    (metrics.getSingleMetric(`process_cpu_${name}_total`) as Counter).inc(micros / 1e6);
  }
}

function ownMetrics(registry: Registry, routes: RouteTable, version: typeof VERSION): Metrics {
  const metrics = new Metrics();
  collectDefaultMetrics({ register: metrics });
  addCPUSoFar(metrics);
  const build = {
    build_date: version.buildDate,
    compiler: version.compiler,
    git_commit: version.gitCommit,
    git_tree_state: version.gitTreeState,
    git_version: version.gitVersion,
    go_version: version.goVersion,
    major: version.major,
    minor: version.minor,
    platform: version.platform,
  };
  new Gauge({
    name: "kubernetes_build_info",
    help: "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    labelNames: Object.keys(build),
    registers: [metrics],
  }).set(build, 1);
  new Gauge({
    name: "apiserver_storage_objects",
    help: "[STABLE] (Deprecated since 1.34.0) [DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
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
  new Counter({
    name: "apiserver_storage_events_received_total",
    help: "[BETA] Number of etcd events received split by kind.",
    labelNames: ["group", "resource"],
    registers: [metrics],
    collect() {
      this.reset();
      for (const { resource, alternate } of routes.served) {
        if (resource.virtual || alternate) continue;
        const { received } = registry.cache.cache(resource);
        if (received > 0) this.inc({ group: resource.group, resource: resource.plural }, received);
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
