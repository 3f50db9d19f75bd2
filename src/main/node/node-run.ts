/** What the parts of a node are given, whether the control plane is in the same process or elsewhere. */
import type { Clock } from "../../base/clock.ts";
import type { NODE_COMPONENTS, NodeFlags } from "../../cli/node-flags.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { Transport } from "../../client/transport.ts";
import type { StatusBoard } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import type { KubeletConfiguration } from "../../kubelet/configuration/settings.ts";

export type NodeComponent = (typeof NODE_COMPONENTS)[number];

export interface NodeRun {
  layout: Layout;
  node: NodeFlags;
  configuration: KubeletConfiguration;
  components: ReadonlySet<NodeComponent>;
  clusterCIDRs: readonly string[];
  serviceCIDRs: readonly string[];
  dnsDomain: string;
  access: NodeAccess;
  board: StatusBoard;
  clock: Clock;
}

/** How the node's components reach the API, and by what others know the node. */
export interface NodeAccess {
  /** A transport of its own, as the node or as kube-proxy. */
  open(user: "node" | "proxy"): Transport;
  /** PEM: whose client certificates the kubelet's API knows. */
  clientCA(): string;
  /** What the kubelet's API shows, for these addresses. */
  servingPair(addresses: readonly string[]): Promise<ServingPair>;
  /** Tells of each that comes later without being asked for. */
  servingChanged?(listener: (pair: ServingPair) => void): void;
  /** Those of the control plane, where it is in this process: they show everything. */
  informers: Informers | undefined;
}

/** PEM texts. */
export interface ServingPair {
  cert: string;
  key: string;
}
