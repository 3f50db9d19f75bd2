/** What the pod network of a node is told. */
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { RunCommand } from "../../host/command.ts";

export interface OverlayOptions {
  /** Acts as this node: writes annotations and a condition of its own Node object, reads all Nodes. */
  client: Client;
  /** Of the same user; the informer of Nodes is shared, and started where it is not yet. */
  informers: Informers;
  clock: Clock;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
  /** By default the host's own. */
  run?: RunCommand;
  nodeName: string;
  /** The addresses by which other nodes reach this one; tunnels use the first, and only between its family. */
  nodeIPs: readonly string[];
  /** The networks of all pods: what pods send elsewhere leaves as if the node had sent it. */
  clusterCIDRs: readonly string[];
  /** Where the container runtime looks for its CNI configuration; made where it is missing. */
  cniConfDir: string;
  /**
   * Where the plugins note which addresses are taken. It belongs on a file system that a reboot empties (below /run), as
   * the pods that have the addresses are gone then too.
   */
  runDir: string;
  names?: Partial<OverlayNames>;
}

/** The names of what a node's pod network makes on the host: two of them on one host need different ones. */
export interface OverlayNames {
  /** File name of the CNI configuration: the runtime takes the first of its directory in alphabetical order. */
  cniConfFile: string;
  /** Of the CNI network. Addresses are noted below it, so it must not change while pods live. */
  cniNetwork: string;
  /** The VXLAN link; at most 15 characters. */
  link: string;
  /** The nftables table. */
  table: string;
  vni: number;
  /** UDP port of the VXLAN; the same on all nodes. */
  port: number;
}

export const OVERLAY_NAMES: OverlayNames = {
  cniConfFile: "10-kybern.conflist",
  cniNetwork: "kybern",
  link: "kybern.1",
  table: "kybern-overlay",
  vni: 1,
  port: 8472,
};

export interface Overlay {
  /**
   * Resolves when pods can be given addresses: the node has its podCIDRs and the CNI configuration is written. Never
   * where it is stopped before.
   */
  readonly ready: Promise<void>;
  /** Ceases to follow the nodes. What was made stays, so that pods keep their network while this process is away. */
  stop(): Promise<void>;
}
