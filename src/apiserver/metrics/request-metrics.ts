/**
 * What requests are counted and timed by, with upstream's names, labels and buckets.
 *
 * Counting happens on every request, so it works on plain numbers found by one map look-up; text is made when somebody
 * scrapes. Distinct series are bounded: what a client can vary (paths, unknown resources, odd methods) is no label.
 */

import { buckets, Histogram, labelText, pushHead } from "../../base/metrics/histogram.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { RequestInfo } from "../endpoints/request-info.ts";

const DURATIONS = buckets([
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]);
const SIZES = buckets(
  [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
  ["1000", "10000", "100000", "1e+06", "1e+07", "1e+08", "1e+09"],
);
const WATCH_LISTS = buckets([0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60]);

interface Series {
  labels: Record<string, string>;
  codes: Map<number, number>;
  durations: Histogram;
  /** Of reads only, as upstream. */
  sizes: Histogram | undefined;
}

export class RequestMetrics {
  private readonly series = new Map<string, Series>();
  private readonly inflight = { mutating: 0, readOnly: 0 };
  private readonly longRunning = new Map<string, number>();
  private readonly watchLists = new Map<string, Histogram>();
  private readonly deprecated = new Set<string>();

  begin(request: ApiRequest): void {
    const { info } = request;
    if (isLongRunning(info)) this.count(request, 1);
    else this.inflight[isMutating(info.verb) ? "mutating" : "readOnly"]++;
  }

  /** `seconds` is how long the request took; a watch's counts when it ends. */
  end(request: ApiRequest, seconds: number): void {
    const { info } = request;
    if (isLongRunning(info)) this.count(request, -1);
    else this.inflight[isMutating(info.verb) ? "mutating" : "readOnly"]--;
    const series = this.seriesOf(request);
    series.codes.set(request.code, (series.codes.get(request.code) ?? 0) + 1);
    series.durations.observe(seconds);
    series.sizes?.observe(request.size);
  }

  /** A watch has sent all initial events and said so, `seconds` after it was asked for. */
  watchList(request: ApiRequest, seconds: number): void {
    const { group, resource, scope, version } = labelsOf(request);
    const key = labelText({ group, resource, scope, version } as Record<string, string>);
    let series = this.watchLists.get(key);
    if (!series) {
      series = new Histogram(WATCH_LISTS);
      this.watchLists.set(key, series);
    }
    series.observe(seconds);
  }

  /** Prometheus' text form of everything counted here. */
  exposition(): string {
    const lines: string[] = [];
    this.pushRequests(lines);
    this.pushSizes(lines);
    this.pushCurrent(lines);
    const watchList = "apiserver_watch_list_duration_seconds";
    pushHead(
      lines,
      watchList,
      "histogram",
      "[BETA] Response latency distribution in seconds for watch list requests broken by group, version, resource and scope.",
    );
    for (const [labels, series] of this.watchLists) series.push(lines, watchList, labels);
    const deprecated = "apiserver_requested_deprecated_apis";
    pushHead(
      lines,
      deprecated,
      "gauge",
      "[STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.",
    );
    for (const labels of this.deprecated) lines.push(`${deprecated}{${labels}} 1`);
    return `${lines.join("\n")}\n`;
  }

  private pushRequests(lines: string[]): void {
    pushHead(
      lines,
      "apiserver_request_total",
      "counter",
      "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
    );
    for (const { labels, codes } of this.series.values()) {
      for (const [code, count] of codes) {
        const own = labelText({ ...labels, code: String(code), system_client: "" });
        lines.push(`apiserver_request_total{${own}} ${count}`);
      }
    }
    const duration = "apiserver_request_duration_seconds";
    pushHead(
      lines,
      duration,
      "histogram",
      "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.",
    );
    for (const { labels, durations } of this.series.values()) {
      durations.push(lines, duration, labelText(labels));
    }
  }

  private pushSizes(lines: string[]): void {
    const name = "apiserver_response_sizes";
    pushHead(
      lines,
      name,
      "histogram",
      "[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.",
    );
    for (const { labels, sizes } of this.series.values()) {
      if (!sizes || labels.dry_run !== "") continue;
      const { dry_run: _, ...rest } = labels;
      sizes.push(lines, name, labelText(rest));
    }
  }

  private pushCurrent(lines: string[]): void {
    const inflight = "apiserver_current_inflight_requests";
    pushHead(
      lines,
      inflight,
      "gauge",
      "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.",
    );
    for (const [kind, value] of Object.entries(this.inflight)) {
      lines.push(`${inflight}{request_kind="${kind}"} ${value}`);
    }
    const long = "apiserver_longrunning_requests";
    pushHead(
      lines,
      long,
      "gauge",
      "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.",
    );
    for (const [labels, value] of this.longRunning) lines.push(`${long}{${labels}} ${value}`);
  }

  private count(request: ApiRequest, step: number): void {
    const { dry_run: _, ...labels } = labelsOf(request);
    const key = labelText(labels);
    this.longRunning.set(key, (this.longRunning.get(key) ?? 0) + step);
  }

  private seriesOf(request: ApiRequest): Series {
    const { served, name, namespace, subresource, declared } = request.info;
    const verb = connects(request.info) ? "connect" : request.info.verb;
    const scope = name !== "" ? "r" : namespace !== "" ? "n" : "c";
    const sub = declared ? subresource : "";
    const dry = request.query.size > 0 && request.query.has("dryRun") ? "d" : "";
    const key = served
      ? `${verb}/${served.apiVersion}/${served.resource.plural}/${sub}/${scope}/${dry}`
      : `${metricVerb(verb)}/${dry}`;
    let series = this.series.get(key);
    if (!series) {
      const sizes = verb === "get" || verb === "list" ? new Histogram(SIZES) : undefined;
      series = { labels: labelsOf(request), codes: new Map(), durations: new Histogram(DURATIONS), sizes };
      this.series.set(key, series);
      if (served?.resource.deprecated) this.noteDeprecated(series.labels);
    }
    return series;
  }

  /** None of what is deprecated has a release in which it goes. */
  private noteDeprecated({ group, resource, subresource, version }: Record<string, string>): void {
    const labels = { group, removed_release: "", resource, subresource, version };
    this.deprecated.add(labelText(labels as Record<string, string>));
  }
}

/** As long as the client wants: not counted among those in flight. */
function isLongRunning({ verb, declared }: RequestInfo): boolean {
  return verb === "watch" || declared?.acts === "connect";
}

/** Logs are got, as upstream has it; everything else that ends at a node is one verb, whatever the method. */
function connects({ declared, subresource }: RequestInfo): boolean {
  return declared?.acts === "connect" && subresource !== "log";
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
    verb: connects(info) ? "CONNECT" : metricVerb(verb),
    version: served?.version ?? "",
  };
}

const METRIC_VERBS: ReadonlyMap<string, string> = new Map([
  ["get", "GET"],
  ["head", "GET"],
  ["list", "LIST"],
  ["watch", "WATCH"],
  ["create", "POST"],
  ["post", "POST"],
  ["update", "PUT"],
  ["put", "PUT"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
  ["deletecollection", "DELETE"],
]);

function metricVerb(verb: string): string {
  return METRIC_VERBS.get(verb) ?? "other";
}
