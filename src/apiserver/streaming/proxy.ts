/**
 * The proxies of pods, services and nodes: any method, any body, upgrades too. Answers come back as they are, but for
 * what would lead out of the proxy's own path: redirects and links of pages are rewritten to stay below it.
 */
import type { IncomingMessage } from "node:http";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import { sendRequest } from "./backend.ts";
import { proxyPath } from "./connect-options.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";
import { linkRewriter, type ProxyPlace, rewriteURL } from "./links.ts";
import { passBody } from "./pass-body.ts";
import { type ProxyTarget, proxyTarget } from "./proxy-target.ts";
import type { Streaming } from "./streaming.ts";
import { answerHeaders, passUpgrade } from "./upgrade.ts";

/** What a page allows other sites is said by the API server, not by what is behind it. */
const CORS = [
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
];

export async function serveProxy(streaming: Streaming, request: ApiRequest): Promise<void> {
  const { exchange } = request;
  const { root, below } = proxyPath(exchange.path);
  const query = exchange.query === "" ? "" : `?${exchange.query}`;
  const target = await proxyTarget(streaming, request);
  if (below === "" && (exchange.method === "GET" || exchange.method === "HEAD")) {
    // Relative links of the page would be taken from the path above.
    const headers = request.headers("text/plain; charset=utf-8");
    request.open(301, { ...headers, location: `${root}/${query}` }).end();
    return;
  }
  const place: ProxyPlace = { root, backend: target.host, asked: exchange.header("host") ?? "" };
  const path = `${below === "" ? "/" : below}${query}`;
  const headers = ["Host", place.asked || target.host, ...forwardedHeaders(exchange)];
  headers.push("X-Forwarded-Uri", `${root}${below}`);
  if (exchange.upgrade !== undefined) {
    const { secure, address, port, tls } = target;
    return passUpgrade(request, { secure, address, port, tls, method: exchange.method, path, headers });
  }
  const response = await send(request, target, path, headers);
  await answer(request, response, place);
}

async function send(
  { exchange }: ApiRequest,
  { secure, address, port, tls }: ProxyTarget,
  path: string,
  headers: string[],
): Promise<IncomingMessage> {
  const gone = new AbortController();
  exchange.onClose(() => gone.abort());
  const { method } = exchange;
  const hasBody =
    exchange.header("content-length") !== undefined || exchange.header("transfer-encoding") !== undefined;
  const body = hasBody || !(method === "GET" || method === "HEAD" || method === "OPTIONS");
  if (body && exchange.header("content-length") === undefined) headers.push("Transfer-Encoding", "chunked");
  try {
    return await sendRequest({
      ...{ secure, address, port, tls, method, path, headers, signal: gone.signal },
      ...(body ? { body: exchange.source() } : {}),
    });
  } catch (error) {
    throw new StatusError("ServiceUnavailable", `error trying to reach service: ${(error as Error).message}`);
  }
}

async function answer(request: ApiRequest, response: IncomingMessage, place: ProxyPlace): Promise<void> {
  const { exchange } = request;
  const headers = { ...request.headers(""), ...answerHeaders(response, CORS) };
  if (headers["content-type"] === "") delete headers["content-type"];
  const { location } = response.headers;
  if (location !== undefined) headers.location = rewriteURL(location, place);
  const rewriter = exchange.method === "HEAD" ? undefined : linkRewriter(response.headers, place);
  // The length changes with the links, and what was compressed is not any more.
  if (rewriter) {
    delete headers["content-length"];
    delete headers["content-encoding"];
  }
  const stream = request.open(response.statusCode ?? 502, headers);
  if (exchange.method === "HEAD") {
    response.resume();
    stream.end();
    return;
  }
  await passBody(rewriter ? rewriter(response) : response, stream, exchange);
}
