import type { RequestListener } from "node:http";
import type { Clock } from "../../base/clock.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { RunCommand } from "../../host/command.ts";
import type { Sysctls } from "../../host/links/sysctls.ts";
import type { Nft } from "../../host/nftables/nft.ts";

/** What `startProxy` of start-proxy.ts takes. */
export interface ProxyOptions {
  /**
   * Of a client that acts as system:kube-proxy: watches Services, EndpointSlices, Nodes and ServiceCIDRs. The proxy
   * starts those that it asks for; whoever made them stops them.
   */
  informers: Informers;
  /**
   * Of a client that may watch the pods of this node (system:node:NAME): their host ports are led to them. Absent: host
   * ports are somebody else's.
   */
  nodeInformers?: Informers;
  nodeName: string;
  /** Where pods get their addresses: what comes from elsewhere to a cluster IP is masqueraded. */
  clusterCIDRs: readonly string[];
  clock: Clock;
  random: () => number;
  settings?: Partial<ProxySettings>;
  /** Of the network namespace that `nft` and `run` act in. */
  sysctls: Sysctls;
  /** By default the program nft of this network namespace. */
  nft?: Nft;
  /** Runs `conntrack`. */
  run?: RunCommand;
  /** Where the proxy's figures go; a set of its own by default. */
  metrics?: MetricSet;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface ProxySettings {
  /** The table's name in the kernel: unlike that of other nodes in the same network namespace. `kybern-proxy`. */
  table: string;
  /** CIDRs of the addresses that node ports are served at, or `["primary"]`: the node's own (the default). */
  nodePortAddresses: readonly string[];
  /** Milliseconds between two changes of the kernel, once two came close upon another. 100. */
  minSyncPeriod: number;
  /** Milliseconds after which the table is looked for, and made anew where somebody removed it. 30,000. */
  syncPeriod: number;
}

export interface RunningProxy {
  /** Resolves when the kernel first holds all Services. */
  readonly ready: Promise<void>;
  readonly metrics: MetricSet;
  /** What `/healthz` and `/livez` tell. */
  readonly healthPages: RequestListener;
  /** `/metrics`, `/proxyMode` and `/healthz`, for the machine alone. */
  readonly statusPages: RequestListener;
  /** Resolves when the kernel holds what the informers show now. */
  settled(): Promise<void>;
  /** Ends watches and servers. The rules stay, so that traffic goes on until the next proxy takes over. */
  stop(): Promise<void>;
  /** Stops, and takes the rules away. */
  remove(): Promise<void>;
}
