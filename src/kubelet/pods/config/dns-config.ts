/** By what names a pod's resolver asks whom. */
import type { Pod, PodDNSConfigOption } from "../../../api/schema/core.v1.generated.ts";

export interface ResolverConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface ClusterResolver {
  clusterDNS: readonly string[];
  clusterDomain: string;
}

/** What the resolvers of C libraries take, as upstream limits it. */
const MOST_SERVERS = 3;
const MOST_SEARCHES = 32;
const LONGEST_SEARCHES = 2048;

/** Reads a resolv.conf. */
export function parseResolvConf(text: string): ResolverConfig {
  const config: ResolverConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    const rest = words.slice(1);
    if (words[0] === "nameserver" && rest[0]) config.servers.push(rest[0]);
    else if (words[0] === "search") config.searches = rest.map(withoutLastDot);
    else if (words[0] === "options") config.options = rest;
  }
  return config;
}

function withoutLastDot(domain: string): string {
  return domain.length > 1 && domain.endsWith(".") ? domain.slice(0, -1) : domain;
}

/** Whether the pod asks the cluster for names. */
export function usesClusterDNS({ spec }: Pod): boolean {
  const policy = spec?.dnsPolicy ?? "ClusterFirst";
  return policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && spec?.hostNetwork !== true);
}

/** `warn` is told what had to be left out, as the message of an event DNSConfigForming. */
export function podResolver(
  pod: Pod,
  { clusterDNS, clusterDomain }: ClusterResolver,
  node: ResolverConfig,
  warn: (message: string) => void = () => {},
): ResolverConfig {
  const { metadata, spec } = pod;
  let config: ResolverConfig;
  if (spec?.dnsPolicy === "None") config = { servers: [], searches: [], options: [] };
  else if (usesClusterDNS(pod) && clusterDNS.length > 0) {
    const own = [`${metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
    config = { servers: [...clusterDNS], searches: [...own, ...node.searches], options: ["ndots:5"] };
  } else config = { servers: [...node.servers], searches: [...node.searches], options: [...node.options] };
  const more = spec?.dnsConfig;
  config.servers = unique([...config.servers, ...(more?.nameservers ?? [])]);
  config.searches = unique([...config.searches, ...(more?.searches ?? [])]);
  config.options = mergedOptions(config.options, more?.options ?? []);
  return limited(config, warn);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function mergedOptions(options: readonly string[], more: readonly PodDNSConfigOption[]): string[] {
  const merged = new Map<string, string>();
  for (const option of options) merged.set(option.split(":", 1)[0]!, option);
  for (const { name = "", value } of more) merged.set(name, value ? `${name}:${value}` : name);
  return [...merged.values()];
}

function limited(config: ResolverConfig, warn: (message: string) => void): ResolverConfig {
  let { servers, searches } = config;
  if (servers.length > MOST_SERVERS) {
    servers = servers.slice(0, MOST_SERVERS);
    warn(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(" ")}`,
    );
  }
  const before = searches.length;
  searches = searches.slice(0, MOST_SEARCHES);
  while (searches.join(" ").length > LONGEST_SEARCHES) searches = searches.slice(0, -1);
  if (searches.length < before) {
    warn(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(" ")}`,
    );
  }
  return { servers, searches, options: config.options };
}
