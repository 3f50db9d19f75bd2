/** What a proxy tells of itself, as upstream's kube-proxy does at 0.0.0.0:10256 and 127.0.0.1:10249. */
import type { RequestListener } from "node:http";
import type { MetricSet } from "../../base/metrics/metric-set.ts";
import type { ProxyHealth } from "./proxy-health.ts";

const NO_SNIFFING = { "X-Content-Type-Options": "nosniff" };
const NOT_FOUND = { code: 404, type: "text/plain; charset=utf-8", body: "404 page not found\n" };

interface Page {
  code?: number;
  type?: string;
  body: string;
}

export type HealthAsked = (path: "/healthz" | "/livez", code: number) => void;

/** `/healthz` and `/livez`, for load balancers and whoever restarts the proxy. */
export function healthPages(health: ProxyHealth, asked: HealthAsked): RequestListener {
  return pages((path) => {
    if (path !== "/healthz" && path !== "/livez") return undefined;
    const { code, body } = health.answer(path);
    asked(path, code);
    return { code, type: "application/json", body };
  });
}

/** `/metrics`, `/proxyMode` and `/healthz`, for the machine itself. */
export function statusPages(metrics: MetricSet): RequestListener {
  return pages((path) => {
    switch (path) {
      case "/metrics":
        return { type: "text/plain; version=0.0.4; charset=utf-8", body: metrics.exposition() };
      case "/proxyMode":
        return { body: "nftables" };
      case "/healthz":
        return { body: "ok" };
      default:
        return undefined;
    }
  });
}

function pages(pageAt: (path: string) => Page | undefined): RequestListener {
  return ({ url = "/" }, response) => {
    const [path = ""] = url.split("?");
    const { code = 200, type = NOT_FOUND.type, body } = pageAt(path) ?? NOT_FOUND;
    response.writeHead(code, { "Content-Type": type, ...NO_SNIFFING }).end(body);
  };
}
