/** What the cluster's DNS on a node is told. */
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Client } from "../../client/client.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { RunCommand } from "../../host/command.ts";

export interface DNSOptions {
  /** Acts as this node: says on its own Node object where its DNS answers. */
  client: Client;
  /** Of a user who may list and watch Services, EndpointSlices, Namespaces and Nodes; shared, started where they are not. */
  informers: Informers;
  clock: Clock;
  /** For the identifiers of forwarded queries: it must not be foretold outside tests. */
  random: Random;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
  /** By default the host's own. */
  run?: RunCommand;
  nodeName: string;
  /** Addresses of this node, where its DNS answers the rest of the cluster; the first of each family is used. */
  nodeIPs: readonly string[];
  /** `cluster.local` */
  clusterDomain: string;
  /** What pods have in their resolv.conf: 10.96.0.10, as kubeadm chooses it. */
  clusterDNS: readonly string[];
  /** The networks of pods, which may ask; nodes may always, others never. */
  clusterCIDRs: readonly string[];
  /** The resolvers' own port; another in tests. */
  resolverPort?: number;
  /** Names the resolvers for everything outside the cluster; /etc/resolv.conf by default. */
  resolvConf?: string;
  names?: Partial<DNSNames>;
}

export interface DNSNames {
  /** The nftables table that keeps connection tracking, and so the rules of Services, off what goes to `clusterDNS`. */
  table: string;
  /** Where DNS answers at the node's addresses, over UDP and TCP. */
  port: number;
  /** Where its figures are, at the node's addresses. */
  metricsPort: number;
}

export const DNS_NAMES: DNSNames = {
  table: "kybern-dns",
  port: 10053,
  metricsPort: 9153,
};

/** What keeps the Service kube-dns is told: one of them runs in a cluster, beside its controllers. */
export interface DNSServiceOptions {
  /** Acts as one who may do anything. */
  client: Client;
  /** Of the same user; the informer of Nodes is shared, and started where it is not yet. */
  informers: Informers;
  clock: Clock;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
  clusterDNS: readonly string[];
}

export interface DNSService {
  /** Resolves when the Service and what nodes may read for its sake are there. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

export interface DNS {
  /** Resolves when names of the cluster are answered; never where it is stopped before. */
  readonly ready: Promise<void>;
  /** Figures under CoreDNS' names, in Prometheus' text form. */
  exposition(): string;
  /**
   * Ends answering, and takes the addresses off this node, so that queries go to other nodes' DNS by way of the Service
   * until it is started again.
   */
  stop(): Promise<void>;
}
