/**
 * apiserver_request_total, apiserver_request_duration_seconds, apiserver_response_sizes and the in-flight gauges, with
 * upstream's names, labels and buckets.
 *
 * Counting happens on every request, so it works on plain numbers found by one map look-up; the metric objects that the
 * exposition wants are made when somebody scrapes.
 */
import type { ApiRequest } from "../endpoints/api-request.ts";

const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

const SIZE_BUCKETS = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/** As Go prints them. */
const SIZE_TEXTS = ["1000", "10000", "100000", "1e+06", "1e+07", "1e+08", "1e+09"];

interface Series {
  labels: Record<string, string>;
  codes: Map<number, number>;
  buckets: number[];
  count: number;
  sum: number;
  /** Of reads only, as upstream. */
  sizes: { buckets: number[]; sum: number } | undefined;
}

/** Distinct series are bounded: what a client can vary (paths, unknown resources) is not a label. */
const UNKNOWN = "";

export class RequestMetrics {
  private readonly series = new Map<string, Series>();
  private readonly inflight = { mutating: 0, readOnly: 0 };
  private readonly longRunning = new Map<string, number>();

  begin(request: ApiRequest): void {
    const { verb } = request.info;
    if (verb === "watch") this.count(request, 1);
    else this.inflight[isMutating(verb) ? "mutating" : "readOnly"]++;
  }

  /** `seconds` is how long the request took; a watch's counts when it ends. */
  end(request: ApiRequest, seconds: number): void {
    const { verb } = request.info;
    if (verb === "watch") this.count(request, -1);
    else this.inflight[isMutating(verb) ? "mutating" : "readOnly"]--;
    const series = this.seriesOf(request);
    series.codes.set(request.code, (series.codes.get(request.code) ?? 0) + 1);
    series.count++;
    series.sum += seconds;
    if (series.sizes) addSize(series.sizes, request.size);
    for (let i = 0; i < DURATION_BUCKETS.length; i++) {
      if (seconds <= DURATION_BUCKETS[i]!) {
        series.buckets[i]!++;
        break;
      }
    }
  }

  /** Prometheus' text form of everything counted here. */
  exposition(): string {
    const lines: string[] = [];
    lines.push(
      "# HELP apiserver_request_total [STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
      "# TYPE apiserver_request_total counter",
    );
    for (const { labels, codes } of this.series.values()) {
      for (const [code, count] of codes) {
        lines.push(`apiserver_request_total{${text({ ...labels, code: String(code) })}} ${count}`);
      }
    }
    const duration = "apiserver_request_duration_seconds";
    lines.push(
      `# HELP ${duration} [STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.`,
      `# TYPE ${duration} histogram`,
    );
    for (const { labels, buckets, count, sum } of this.series.values()) {
      const own = text(labels);
      let below = 0;
      for (const [i, limit] of DURATION_BUCKETS.entries()) {
        below += buckets[i]!;
        lines.push(`${duration}_bucket{${own},le="${limit}"} ${below}`);
      }
      lines.push(`${duration}_bucket{${own},le="+Inf"} ${count}`);
      lines.push(`${duration}_sum{${own}} ${sum}`, `${duration}_count{${own}} ${count}`);
    }
    this.pushSizes(lines);
    lines.push(
      "# HELP apiserver_current_inflight_requests [STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.",
      "# TYPE apiserver_current_inflight_requests gauge",
    );
    for (const [kind, value] of Object.entries(this.inflight)) {
      lines.push(`apiserver_current_inflight_requests{request_kind="${kind}"} ${value}`);
    }
    lines.push(
      "# HELP apiserver_longrunning_requests [STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.",
      "# TYPE apiserver_longrunning_requests gauge",
    );
    for (const [labels, value] of this.longRunning)
      lines.push(`apiserver_longrunning_requests{${labels}} ${value}`);
    return `${lines.join("\n")}\n`;
  }

  private pushSizes(lines: string[]): void {
    const name = "apiserver_response_sizes";
    lines.push(
      `# HELP ${name} [STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.`,
      `# TYPE ${name} histogram`,
    );
    for (const { labels, sizes, count } of this.series.values()) {
      if (!sizes || labels.dry_run !== "") continue;
      const { dry_run: _, ...rest } = labels;
      const own = text(rest);
      let below = 0;
      for (const [i, limit] of SIZE_TEXTS.entries()) {
        below += sizes.buckets[i]!;
        lines.push(`${name}_bucket{${own},le="${limit}"} ${below}`);
      }
      lines.push(`${name}_bucket{${own},le="+Inf"} ${count}`);
      lines.push(`${name}_sum{${own}} ${sizes.sum}`, `${name}_count{${own}} ${count}`);
    }
  }

  private count(request: ApiRequest, step: number): void {
    const key = text(labelsOf(request));
    this.longRunning.set(key, (this.longRunning.get(key) ?? 0) + step);
  }

  private seriesOf(request: ApiRequest): Series {
    const { served, verb, name, namespace, subresource, declared } = request.info;
    const plural = served ? served.resource.plural : UNKNOWN;
    const scope = name !== "" ? "r" : namespace !== "" ? "n" : "c";
    const sub = declared ? subresource : "";
    const dry = request.query.size > 0 && request.query.has("dryRun") ? "d" : "";
    const key = served ? `${verb}/${served.apiVersion}/${plural}/${sub}/${scope}/${dry}` : `${verb}/`;
    let series = this.series.get(key);
    if (!series) {
      const buckets = new Array<number>(DURATION_BUCKETS.length).fill(0);
      const reads = verb === "get" || verb === "list";
      const sizes = reads ? { buckets: new Array<number>(SIZE_BUCKETS.length).fill(0), sum: 0 } : undefined;
      series = { labels: labelsOf(request), codes: new Map(), buckets, count: 0, sum: 0, sizes };
      this.series.set(key, series);
    }
    return series;
  }
}

function addSize(sizes: { buckets: number[]; sum: number }, size: number): void {
  sizes.sum += size;
  const bucket = SIZE_BUCKETS.findIndex((limit) => size <= limit);
  if (bucket >= 0) sizes.buckets[bucket]!++;
}

function isMutating(verb: string): boolean {
  return verb !== "get" && verb !== "list" && verb !== "head";
}

function labelsOf({ info, query }: ApiRequest): Record<string, string> {
  const { served, verb, name, namespace, declared, subresource } = info;
  return {
    component: "apiserver",
    dry_run: query.has("dryRun") ? "All" : "",
    group: served?.group ?? "",
    resource: served?.resource.plural ?? "",
    scope: !served ? "" : name !== "" ? "resource" : namespace !== "" ? "namespace" : "cluster",
    subresource: declared ? subresource : "",
    verb: METRIC_VERBS[verb] ?? "OTHER",
    version: served?.version ?? "",
  };
}

const METRIC_VERBS: Record<string, string> = {
  get: "GET",
  list: "LIST",
  watch: "WATCH",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETE",
  post: "POST",
  put: "PUT",
  head: "HEAD",
};

/** Label values are our own words or declared names: nothing in them needs escaping. */
function text(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
}
