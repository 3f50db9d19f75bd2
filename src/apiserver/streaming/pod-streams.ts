/**
 * pods/exec, attach and portforward. How the client asks decides how it goes on:
 *
 *   SPDY/3.1, WebSocket v4 and older ──── byte for byte ──→ kubelet
 *   WebSocket v5.channel.k8s.io ───────── translated to SPDY streams ──→ kubelet
 *   WebSocket SPDY/3.1+portforward… ───── SPDY's bytes out of its messages ──→ kubelet
 */
import { webSocketOffer } from "../../host/websocket/server-websocket.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import { forwardedPorts, kubeletQuery, type StreamOptions, streamOptions } from "./connect-options.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";
import type { KubeletTarget } from "./kubelets.ts";
import { containerOf, findPod } from "./pods.ts";
import type { Streaming } from "./streaming.ts";
import { passUpgrade } from "./upgrade.ts";
import { STREAM_CLOSE_PROTOCOL, serveChannels } from "./websocket-channels.ts";
import { serveTunnel, TUNNEL_PROTOCOL } from "./websocket-tunnel.ts";

/** Where at a kubelet a stream is. */
export interface KubeletStream extends KubeletTarget {
  path: string;
}

export async function servePodStream(streaming: Streaming, request: ApiRequest): Promise<void> {
  const { exchange, info } = request;
  const { target, options } = await locate(streaming, request);
  const offer = webSocketOffer(exchange.upgrade, (name) => exchange.header(name));
  if (offer && options && offer.protocols.includes(STREAM_CLOSE_PROTOCOL)) {
    return serveChannels(request, offer, target, options);
  }
  if (offer && info.subresource === "portforward" && offer.protocols.includes(TUNNEL_PROTOCOL)) {
    return serveTunnel(request, offer, target);
  }
  await passUpgrade(request, {
    secure: true,
    address: target.address,
    port: target.port,
    method: exchange.method,
    path: target.path,
    headers: ["Host", target.host, ...forwardedHeaders(exchange)],
    tls: target.tls,
  });
}

async function locate(
  { cache, kubelets }: Streaming,
  { info, query }: ApiRequest,
): Promise<{ target: KubeletStream; options: StreamOptions | undefined }> {
  const { namespace, name, subresource } = info;
  const pod = await findPod(cache, namespace, name);
  const forwards = subresource === "portforward";
  const options = forwards ? undefined : streamOptions(query);
  const segments = [namespace, name];
  if (options) segments.push(containerOf(pod, options.container));
  const { nodeName } = pod.spec ?? {};
  if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  const reached = await kubelets.reach(nodeName);
  const wanted = options ? kubeletQuery(options) : new URLSearchParams();
  if (!options) for (const port of forwardedPorts(query)) wanted.append("port", String(port));
  const action = forwards ? "portForward" : subresource;
  const path = `/${action}/${segments.map(encodeURIComponent).join("/")}`;
  return { target: { ...reached, path: wanted.size > 0 ? `${path}?${wanted}` : path }, options };
}
