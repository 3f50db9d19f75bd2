/** What a request to the proxy of a pod, a service or a node is sent on to. */
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Service } from "../../api/core/services.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { badRequest, notFound, serviceUnavailable } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import { checkProxyable, proxyableAddress } from "./addresses.ts";
import { authority } from "./kubelets.ts";
import { findPod } from "./pods.ts";
import { type ProxyName, splitName } from "./split-name.ts";
import type { Streaming } from "./streaming.ts";

export interface ProxyTarget {
  secure: boolean;
  /** What is connected to: a number, checked. */
  address: string;
  port: number;
  /** As a URL would name it. */
  host: string;
  tls: ConnectionOptions;
}

/** Upstream's proxies take any certificate of a pod's own: nobody issues one that could be checked. */
const ANY_CERTIFICATE: ConnectionOptions = { rejectUnauthorized: false };
const DEFAULT_PORTS = { http: 80, https: 443 };

export function proxyTarget(streaming: Streaming, request: ApiRequest): Promise<ProxyTarget> {
  const { resource, name } = request.info;
  const kind = resource.slice(0, -1);
  const asked = splitName(name);
  if (!asked) throw badRequest(`invalid ${kind} request ${JSON.stringify(name)}`);
  if (resource === "pods") return podTarget(streaming, request.info.namespace, asked);
  if (resource === "services") return serviceTarget(streaming, request.info.namespace, asked, name);
  return nodeTarget(streaming, asked);
}

function targetAt(scheme: ProxyName["scheme"], address: string, port: string): ProxyTarget {
  const secure = scheme === "https";
  const number = port === "" ? DEFAULT_PORTS[secure ? "https" : "http"] : portNumber(port);
  return { secure, address, port: number, host: authority(address, port), tls: ANY_CERTIFICATE };
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

async function podTarget(
  { cache }: Streaming,
  namespace: string,
  { scheme, name, port }: ProxyName,
): Promise<ProxyTarget> {
  const pod = await findPod(cache, namespace, name);
  const { containers = [] } = pod.spec ?? {};
  const first = containers.find(({ ports = [] }) => ports.length > 0)?.ports?.[0];
  const address = addressesOf(pod)[0] ?? "";
  checkProxyable(address);
  return targetAt(scheme, address, port === "" && first ? String(first.containerPort) : port);
}

function addressesOf({ status }: Pod): string[] {
  const listed = (status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== "");
  return listed.length > 0 ? listed : status?.podIP ? [status.podIP] : [];
}

async function serviceTarget(
  streaming: Streaming,
  namespace: string,
  { scheme, name, port }: ProxyName,
  asked: string,
): Promise<ProxyTarget> {
  const { cache, below } = streaming;
  const waited = cache.fresh();
  if (waited) await waited;
  const service = cache.get(Service, namespace, name);
  if (!service) throw notFound({ group: "", resource: "services" }, name);
  const portName = /^\d+$/.test(port) ? nameOfPort(service, Number(port)) : port;
  const slices = slicesOf(streaming, namespace, name);
  if (slices.length === 0)
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const found = slices.flatMap(({ endpoints = [], ports }) => {
    const own = (ports ?? []).find((one) => (one.name ?? "") === portName)?.port;
    if (own === undefined) return [];
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return ready.map((endpoint) => ({ endpoint, port: own }));
  });
  // Any of them first, and those behind it in turn: an address that no pod has is left out.
  const start = found.length > 0 ? below(found.length) : 0;
  for (let i = 0; i < found.length; i++) {
    const { endpoint, port: own } = found[(start + i) % found.length]!;
    const address = await podAddress(streaming, namespace, endpoint);
    if (address !== undefined) return targetAt(scheme, address, String(own));
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(asked)}`);
}

function nameOfPort({ metadata, spec }: Service, port: number): string {
  const found = spec?.ports?.find((one) => one.port === port);
  if (found) return found.name ?? "";
  throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(metadata.name)}`);
}

function slicesOf({ cache }: Streaming, namespace: string, service: string): EndpointSlice[] {
  return [...cache.list(EndpointSlice, namespace)].filter(
    ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service,
  );
}

type SliceEndpoint = NonNullable<EndpointSlice["endpoints"]>[number];

/** Whoever writes slices must not lead the API server anywhere: only to a pod of the namespace that has the address. */
async function podAddress(
  { cache }: Streaming,
  namespace: string,
  { addresses, targetRef }: SliceEndpoint,
): Promise<string | undefined> {
  const [address] = addresses;
  if (!address || targetRef?.kind !== "Pod" || (targetRef.namespace ?? namespace) !== namespace)
    return undefined;
  const pod = await findPod(cache, namespace, targetRef.name ?? "").catch(() => undefined);
  if (!pod || !addressesOf(pod).includes(address)) return undefined;
  checkProxyable(address);
  return address;
}

async function nodeTarget(
  { kubelets, lookup }: Streaming,
  { scheme, name, port }: ProxyName,
): Promise<ProxyTarget> {
  const { hostname, port: own } = kubelets.locate(name);
  const address = await proxyableAddress(hostname, lookup);
  if (port === "" || port === String(own)) {
    const tls = kubelets.tls(hostname, false);
    return { secure: true, address, port: own, host: authority(hostname, own), tls };
  }
  const target = targetAt(scheme, address, port);
  const servername = isIP(hostname) === 0 ? hostname : "";
  return { ...target, host: authority(hostname, port), tls: { ...ANY_CERTIFICATE, servername } };
}
