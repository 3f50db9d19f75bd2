/** The figures of endpoint slices, under upstream's names (k8s.io/endpointslice/metrics). */
import type { Endpoint } from "../../api/schema/discovery.v1.generated.ts";
import { buckets, type Histogram } from "../../base/metrics/histogram.ts";
import type { Amount, Family, MetricSet } from "../../base/metrics/metric-set.ts";

const PREFIX = "endpoint_slice_controller_";
const COUNTS = buckets(Array.from({ length: 15 }, (_, i) => 2 ** (i + 1)));

/** What one service has. */
export interface ServiceSlices {
  slices: number;
  /** As few as could be. */
  desiredSlices: number;
  endpoints: number;
  trafficDistribution: string | undefined;
}

const NOTHING: ServiceSlices = { slices: 0, desiredSlices: 0, endpoints: 0, trafficDistribution: undefined };

export class SliceMetrics {
  private readonly services = new Map<string, ServiceSlices>();
  private readonly slices: Amount;
  private readonly desiredSlices: Amount;
  private readonly endpoints: Amount;
  private readonly added: Histogram;
  private readonly removed: Histogram;
  private readonly distributions: Family<Amount>;

  constructor(set: MetricSet) {
    const gauge = (name: string, help: string): Amount =>
      set.gauge(`${PREFIX}${name}`, `[BETA] ${help}`).of();
    const histogram = (name: string, help: string): Histogram =>
      set.histogram(`${PREFIX}${name}`, `[BETA] ${help}`, [], COUNTS).of();
    this.slices = gauge("num_endpoint_slices", "Number of EndpointSlices");
    this.desiredSlices = gauge(
      "desired_endpoint_slices",
      "Number of EndpointSlices that would exist with perfect endpoint allocation",
    );
    this.endpoints = gauge("endpoints_desired", "Number of endpoints desired");
    this.added = histogram("endpoints_added_per_sync", "Number of endpoints added on each Service sync");
    this.removed = histogram(
      "endpoints_removed_per_sync",
      "Number of endpoints removed on each Service sync",
    );
    this.distributions = set.gauge(
      `${PREFIX}services_count_by_traffic_distribution`,
      "[BETA] Number of Services using some specific trafficDistribution",
      ["traffic_distribution"],
    );
  }

  synced(key: string, now: ServiceSlices, added: number, removed: number): void {
    this.replace(key, now);
    this.added.observe(added);
    this.removed.observe(removed);
  }

  forget(key: string): void {
    this.replace(key, NOTHING);
    this.services.delete(key);
  }

  private replace(key: string, now: ServiceSlices): void {
    const was = this.services.get(key) ?? NOTHING;
    this.services.set(key, now);
    this.slices.add(now.slices - was.slices);
    this.desiredSlices.add(now.desiredSlices - was.desiredSlices);
    this.endpoints.add(now.endpoints - was.endpoints);
    if (now.trafficDistribution === was.trafficDistribution) return;
    if (was.trafficDistribution !== undefined) this.distributions.of(was.trafficDistribution).add(-1);
    if (now.trafficDistribution !== undefined) this.distributions.of(now.trafficDistribution).add();
  }
}

interface WithEndpoints {
  endpoints?: readonly Endpoint[];
}

/** How many endpoints are in the first slices and not in the second, by their addresses. */
export function countMissing(these: readonly WithEndpoints[], those: readonly WithEndpoints[]): number {
  const known = new Set(
    those.flatMap(({ endpoints }) => (endpoints ?? []).map(({ addresses }) => addresses[0])),
  );
  let missing = 0;
  for (const { endpoints } of these) {
    for (const { addresses } of endpoints ?? []) if (!known.has(addresses[0])) missing++;
  }
  return missing;
}
