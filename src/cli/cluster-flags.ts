/** Flags of every verb that says what a cluster is like. */
import { isDNS1123Subdomain } from "../machinery/names/dns.ts";
import { parseIP } from "../machinery/names/ip-address.ts";
import { checkAddress, checkApart, checkFamilies, checkRanges } from "./network-flags.ts";
import { type Flag, portNumber, UsageError } from "./verb.ts";

export interface ClusterRun {
  securePort: number;
  bindAddress: string;
  /** What others reach the server by; undefined: the machine's first address. */
  advertiseAddress: string | undefined;
  /** Further names and addresses for the serving certificate. */
  certificateNames: string[];
  serviceCIDRs: string[];
  /** The networks of pods. */
  clusterCIDRs: string[];
  /** `NODES`: the addresses of the nodes. Empty: Services of type LoadBalancer get none. */
  loadBalancerRanges: string[];
  nodePorts: { from: number; to: number };
  dnsDomain: string;
}

export const CLUSTER_FLAGS: readonly Flag[] = [
  { syntax: "--secure-port <port>", summary: "the HTTPS port; 0 takes a free one", default: "6443" },
  { syntax: "--bind-address <ip>", summary: "the address to listen on", default: "0.0.0.0" },
  { syntax: "--advertise-address <ip>", summary: "the address by which others reach the server" },
  {
    syntax: "--tls-san <names>",
    summary: "more names and addresses for the serving certificate, by commas",
  },
  {
    syntax: "--service-cluster-ip-range <cidrs>",
    summary: "addresses of Services",
    default: "10.96.0.0/12",
  },
  {
    syntax: "--service-node-port-range <from-to>",
    summary: "node ports of Services",
    default: "30000-32767",
  },
  {
    syntax: "--cluster-cidr <cidrs>",
    summary: "addresses of pods, of which each node gets a part, by commas",
    default: "10.244.0.0/16",
  },
  {
    syntax: "--load-balancer-ranges <cidrs>",
    summary:
      "addresses for Services of type LoadBalancer, by commas; nodes: those of the nodes; without any they stay pending",
  },
  { syntax: "--cluster-domain <domain>", summary: "the cluster's DNS domain", default: "cluster.local" },
];

export function list(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((part) => part !== "");
}

/** What --load-balancer-ranges has in place of networks. */
export const NODES = "nodes";
const NONE = "none";

/** Services need ten addresses, of which the tenth is the DNS; a node gets a /24 or a /64. */
const LONGEST = { services: { 4: 28, 6: 124 }, pods: { 4: 24, 6: 64 } } as const;

/** What flags of other verbs are too is checked with their names. Throws UsageError. */
export function clusterRun(flags: Readonly<Record<string, string | undefined>>): ClusterRun {
  const bindAddress = flags.bindAddress ?? "";
  checkAddress(bindAddress, "--bind-address");
  if (flags.advertiseAddress !== undefined) checkAddress(flags.advertiseAddress, "--advertise-address");
  const certificateNames = list(flags.tlsSan);
  for (const name of certificateNames) checkName(name, "--tls-san");
  const dnsDomain = flags.clusterDomain ?? "";
  checkName(dnsDomain, "--cluster-domain");
  return {
    securePort: portNumber(flags.securePort ?? "", "--secure-port"),
    bindAddress,
    advertiseAddress: flags.advertiseAddress,
    certificateNames,
    ...ranges(flags),
    nodePorts: portRange(flags.serviceNodePortRange ?? "", "--service-node-port-range"),
    dnsDomain,
  };
}

function ranges(
  flags: Readonly<Record<string, string | undefined>>,
): Pick<ClusterRun, "serviceCIDRs" | "clusterCIDRs" | "loadBalancerRanges"> {
  const serviceCIDRs = list(flags.serviceClusterIpRange);
  const clusterCIDRs = list(flags.clusterCidr);
  const loadBalancerRanges = list(flags.loadBalancerRanges).filter((range) => range !== NONE);
  const services = "--service-cluster-ip-range";
  checkApart(
    [checkFamilies(serviceCIDRs, services, LONGEST.services), services],
    [checkFamilies(clusterCIDRs, "--cluster-cidr", LONGEST.pods), "--cluster-cidr"],
  );
  if (loadBalancerRanges.join() !== NODES) checkRanges(loadBalancerRanges, "--load-balancer-ranges");
  return { serviceCIDRs, clusterCIDRs, loadBalancerRanges };
}

function portRange(text: string, flag: string): { from: number; to: number } {
  const [from = 0, to = 0] = (/^([0-9]{1,5})-([0-9]{1,5})$/.exec(text)?.slice(1) ?? []).map(Number);
  if (from < 1 || to > 65535 || from > to)
    throw new UsageError(`${flag} must look like 30000-32767, not ${JSON.stringify(text)}.`);
  return { from, to };
}

/** Certificates may have names for all of a domain, as *.example.com. */
function checkName(name: string, flag: string): void {
  if (parseIP(name) || isDNS1123Subdomain(name.replace(/^\*\./, "")).length === 0) return;
  throw new UsageError(`${flag} must be a DNS name, not ${JSON.stringify(name)}.`);
}
