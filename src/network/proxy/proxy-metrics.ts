/** The proxy's figures, by the names of upstream's kube-proxy in mode nftables. */
import { buckets } from "../../base/metrics/histogram.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";

const from = (start: number, width: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start + i * width);
const doubling = Array.from({ length: 15 }, (_, i) => Number((0.001 * 2 ** i).toFixed(3)));
const programming = [...from(0.25, 0.25, 2), ...from(1, 1, 59), ...from(60, 5, 12), ...from(120, 30, 7)];

/** One transaction holds both families, so their figures are not told apart. */
export function proxyMetrics(set: MetricSet) {
  const counter = (name: string, help: string, ...labels: string[]) =>
    set.counter(`kubeproxy_${name}`, `[ALPHA] ${help}`, labels);
  const gauge = (name: string, help: string, ...labels: string[]) =>
    set.gauge(`kubeproxy_${name}`, `[ALPHA] ${help}`, labels);
  const seconds = (name: string, help: string, limits = doubling) =>
    set.histogram(`kubeproxy_${name}`, `[ALPHA] ${help}`, [], buckets(limits)).of();
  return {
    programming: seconds(
      "network_programming_duration_seconds",
      "In Cluster Network Programming Latency in seconds",
      programming,
    ),
    sync: seconds("sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds"),
    fullSync: seconds(
      "sync_full_proxy_rules_duration_seconds",
      "SyncProxyRules latency in seconds for full resyncs",
    ),
    partialSync: seconds(
      "sync_partial_proxy_rules_duration_seconds",
      "SyncProxyRules latency in seconds for partial resyncs",
    ),
    lastSync: gauge(
      "sync_proxy_rules_last_timestamp_seconds",
      "The last time proxy rules were successfully synced",
    ).of(),
    lastQueued: gauge(
      "sync_proxy_rules_last_queued_timestamp_seconds",
      "The last time a sync of proxy rules was queued",
    ).of(),
    endpointsPending: gauge(
      "sync_proxy_rules_endpoint_changes_pending",
      "Pending proxy rules Endpoint changes",
    ).of(),
    endpointsTotal: counter(
      "sync_proxy_rules_endpoint_changes_total",
      "Cumulative proxy rules Endpoint changes",
    ).of(),
    servicesPending: gauge(
      "sync_proxy_rules_service_changes_pending",
      "Pending proxy rules Service changes",
    ).of(),
    servicesTotal: counter(
      "sync_proxy_rules_service_changes_total",
      "Cumulative proxy rules Service changes",
    ).of(),
    failures: counter(
      "sync_proxy_rules_nftables_sync_failures_total",
      "Cumulative proxy nftables sync failures",
    ).of(),
    noLocalEndpoints: gauge(
      "sync_proxy_rules_no_local_endpoints_total",
      "Number of services with a Local traffic policy and no endpoints",
      "traffic_policy",
    ),
    healthz: counter("proxy_healthz_total", "Cumulative proxy healthz HTTP status", "code"),
    livez: counter("proxy_livez_total", "Cumulative proxy livez HTTP status", "code"),
    forgottenFlows: counter(
      "conntrack_reconciler_deleted_entries_total",
      "Cumulative conntrack flows deleted by conntrack reconciler",
      "ip_family",
    ),
    flows: seconds(
      "conntrack_reconciler_sync_duration_seconds",
      "ReconcileConntrackFlowsLatency latency in seconds",
    ),
  };
}

export type ProxyMetrics = ReturnType<typeof proxyMetrics>;
