/**
 * The subresources that end at a node, a pod or a service: log, exec, attach, portforward, proxy. Each is admitted as
 * CONNECT, with its query as the object, and answered by whoever it is about; the API server passes the bytes on.
 */
import type { KubeObject } from "../../api/object.ts";
import type { Authorizer } from "../../api/user.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import { callOf, type Endpoints, namespaceOf } from "../endpoints/endpoint.ts";
import { noSuchMethod } from "../endpoints/no-such-method.ts";
import { attributesOf, type Refusal } from "../filters/authorize.ts";
import type { Served } from "../registry/registry.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { Lookup } from "./addresses.ts";
import { connectOptions } from "./connect-options.ts";
import { type KubeletClientOptions, Kubelets } from "./kubelets.ts";
import { serveLog } from "./pod-log.ts";
import { servePodStream } from "./pod-streams.ts";
import { serveProxy } from "./proxy.ts";

export interface StreamingOptions {
  cache: WatchCache;
  authorizer: Authorizer;
  /** What a refused authorization is answered with. */
  refusal: Refusal;
  /** Absent: what needs a kubelet is answered with 503. */
  kubelet: KubeletClientOptions | undefined;
  lookup: Lookup;
  /** Of those below the number, any. */
  below: (limit: number) => number;
}

export interface Streaming extends Omit<StreamingOptions, "kubelet"> {
  kubelets: Kubelets;
}

export function openStreaming({ kubelet, ...rest }: StreamingOptions): Streaming {
  return { ...rest, kubelets: new Kubelets(rest.cache, kubelet, rest.lookup) };
}

export async function serveConnect(
  streaming: Streaming,
  endpoints: Endpoints,
  request: ApiRequest,
  served: Served,
): Promise<void> {
  const { info, exchange } = request;
  const { declared, subresource } = info;
  if (declared?.acts !== "connect") throw noSuchMethod();
  const verbs: readonly string[] = declared.verbs;
  // A proxy passes any method on, those too that have no verb.
  if (!verbs.includes(info.verb) && !(declared.takesPath && info.verb === "")) throw noSuchMethod();
  await authorizeUpgrade(streaming, request);
  if (subresource !== "log") await admit(endpoints, request, served);
  if (declared.takesPath) return serveProxy(streaming, request);
  if (subresource === "log") return serveLog(streaming, request);
  if (exchange.upgrade === undefined) throw badRequest("Upgrade request required");
  return servePodStream(streaming, request);
}

/**
 * Browsers can open a WebSocket by GET only, and what it carries does more than reading: whoever changes the protocol
 * must be allowed to create too (k/k#136550). Kubelets can be reached through the proxy of their node.
 */
async function authorizeUpgrade({ authorizer, refusal }: Streaming, request: ApiRequest): Promise<void> {
  const { info, exchange } = request;
  if (info.verb !== "get" || exchange.upgrade === undefined) return;
  if (info.subresource === "proxy" && info.resource !== "nodes") return;
  const attributes = { ...attributesOf(request), verb: "create" };
  const { decision, reason } = await authorizer.authorize(attributes);
  if (decision !== "allow") throw refusal(attributes, reason);
}

async function admit(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { info } = request;
  const { admission } = endpoints.registry;
  const call = callOf(endpoints, request);
  const object: unknown = connectOptions(request);
  const asked = {
    operation: "CONNECT" as const,
    resource: served.resource,
    subresource: info.subresource,
    namespace: namespaceOf(request, served),
    name: info.name,
    object: object as KubeObject,
    old: undefined,
    user: call.user,
    verb: call.verb,
    dryRun: false,
    now: call.now,
    warn: call.warn,
    annotate: call.annotate,
  };
  await admission.mutate(asked);
  await admission.validate(asked);
}
