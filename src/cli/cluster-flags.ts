/** Flags of every verb that says what a cluster is like. */
import { isIP } from "node:net";
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
    summary: "addresses for Services of type LoadBalancer, by commas; without any they stay pending",
  },
  { syntax: "--cluster-domain <domain>", summary: "the cluster's DNS domain", default: "cluster.local" },
];

export function list(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((part) => part !== "");
}

export function clusterRun(flags: Readonly<Record<string, string | undefined>>): ClusterRun {
  const range = /^([0-9]+)-([0-9]+)$/.exec(flags.serviceNodePortRange ?? "");
  if (!range) throw new UsageError("--service-node-port-range must look like 30000-32767.");
  const bindAddress = flags.bindAddress ?? "";
  if (isIP(bindAddress) === 0)
    throw new UsageError(`--bind-address must be an IP address, not ${JSON.stringify(bindAddress)}.`);
  return {
    securePort: portNumber(flags.securePort ?? "", "--secure-port"),
    bindAddress,
    advertiseAddress: flags.advertiseAddress,
    certificateNames: list(flags.tlsSan),
    serviceCIDRs: list(flags.serviceClusterIpRange),
    clusterCIDRs: list(flags.clusterCidr),
    loadBalancerRanges: list(flags.loadBalancerRanges),
    nodePorts: { from: Number(range[1]), to: Number(range[2]) },
    dnsDomain: flags.clusterDomain ?? "",
  };
}
