/** pods/log: what a container wrote, read by the kubelet of its node. */
import type { IncomingMessage } from "node:http";
import { webSocketOffer } from "../../host/websocket/server-websocket.ts";
import { type Reason, StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import { bodyText, sendRequest } from "./backend.ts";
import { readLogOptions } from "./log-options.ts";
import { passBody } from "./pass-body.ts";
import { containerOf, findPod } from "./pods.ts";
import type { Streaming } from "./streaming.ts";
import { sendLog } from "./websocket-log.ts";

export async function serveLog({ cache, kubelets }: Streaming, request: ApiRequest): Promise<void> {
  const { namespace, name } = request.info;
  const options = readLogOptions(request.query, name);
  const pod = await findPod(cache, namespace, name);
  const container = containerOf(pod, options.container);
  const { nodeName } = pod.spec ?? {};
  if (!nodeName) {
    // Nothing was written where nothing ran.
    request.open(204, request.headers("text/plain")).end();
    return;
  }
  const target = await kubelets.reach(nodeName, options.insecure);
  const path = `/containerLogs/${[namespace, name, container].map(encodeURIComponent).join("/")}`;
  const query = options.query.size > 0 ? `?${options.query}` : "";
  const gone = new AbortController();
  request.exchange.onClose(() => gone.abort());
  const response = await sendRequest({
    secure: true,
    address: target.address,
    port: target.port,
    method: "GET",
    path: `${path}${query}`,
    headers: ["Host", target.host],
    tls: target.tls,
    signal: gone.signal,
  }).catch((error: Error) => {
    const url = `https://${target.host}${path}${query}`;
    throw new StatusError("", `Get ${JSON.stringify(url)}: ${error.message}`, undefined, 500);
  });
  if (response.statusCode !== 200) throw await refusal(response, name);
  const { exchange } = request;
  const offer = webSocketOffer(exchange.upgrade, (header) => exchange.header(header));
  if (offer) return sendLog(request, offer, response);
  await passBody(response, request.open(200, request.headers("text/plain")), request.exchange);
}

const REASONS: ReadonlyMap<number, Reason> = new Map([
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "NotFound"],
  [405, "MethodNotAllowed"],
  [422, "Invalid"],
  [429, "TooManyRequests"],
  [503, "ServiceUnavailable"],
]);

/** What the kubelet refused with, in the words that upstream's server passes it on in. */
async function refusal(response: IncomingMessage, pod: string): Promise<StatusError> {
  const status = response.statusCode ?? 500;
  const text = await bodyText(response);
  if (status === 500)
    return new StatusError("InternalError", `Internal error occurred: ${text}`, causes(text));
  if (status === 400) return new StatusError("BadRequest", text);
  const known: Record<number, string> = {
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    503: text || "the server is currently unable to handle the request",
  };
  const message = known[status] ?? (text || "unknown");
  const details = { name: pod, kind: "pods/log", ...causes(text) };
  // A redirect is not followed: to whom it leads is the node's choice, not the user's.
  const code = status < 400 ? 502 : status;
  return new StatusError(REASONS.get(status) ?? "", `${message} ( pods/log ${pod})`, details, code);
}

function causes(message: string) {
  return { causes: [{ reason: "UnexpectedServerResponse", message }] };
}
