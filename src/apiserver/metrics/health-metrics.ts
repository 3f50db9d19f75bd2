/** /metrics/slis: what the health checks said, each time that they were all asked for. */

import { labelText, pushHead } from "../../base/metrics/histogram.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";

export class HealthMetrics {
  private readonly results = new Map<
    string,
    { name: string; type: string; success: number; error: number; last: number }
  >();

  /** `type` is the endpoint: healthz, livez or readyz. */
  observe(type: string, name: string, well: boolean): void {
    const key = `${type} ${name}`;
    let result = this.results.get(key);
    if (!result) {
      result = { name, type, success: 0, error: 0, last: 0 };
      this.results.set(key, result);
    }
    result[well ? "success" : "error"]++;
    result.last = well ? 1 : 0;
  }

  exposition(): string {
    const lines: string[] = [];
    pushHead(
      lines,
      "kubernetes_healthcheck",
      "gauge",
      "[STABLE] This metric records the result of a single healthcheck.",
    );
    for (const { name, type, last } of this.results.values())
      lines.push(`kubernetes_healthcheck{${labelText({ name, type })}} ${last}`);
    const total = "kubernetes_healthchecks_total";
    pushHead(lines, total, "counter", "[STABLE] This metric records the results of all healthcheck.");
    for (const { name, type, success, error } of this.results.values()) {
      if (success > 0) lines.push(`${total}{${labelText({ name, status: "success", type })}} ${success}`);
      if (error > 0) lines.push(`${total}{${labelText({ name, status: "error", type })}} ${error}`);
    }
    return `${lines.join("\n")}\n`;
  }

  readonly serve = (request: ApiRequest): void => {
    request.send(200, "text/plain; version=0.0.4; charset=utf-8", this.exposition());
  };
}
