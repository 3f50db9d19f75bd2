import type { Pod } from "../../api/core/pods.ts";
import type { Clock } from "../../base/clock.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { Nft } from "../../host/nftables/nft.ts";

/** What `startPolicy` of start-policy.ts takes. */
export interface PolicyOptions {
  /**
   * Of a client that may watch NetworkPolicies, Namespaces and all pods. Pods and Namespaces are watched from the first
   * NetworkPolicy on, and not before. Whoever made the informers stops them.
   */
  informers: Informers;
  nodeName: string;
  clock: Clock;
  random: () => number;
  settings?: Partial<PolicySettings>;
  /** By default the program nft of this network namespace. */
  nft?: Nft;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface PolicySettings {
  /** The table's name in the kernel: unlike that of other nodes in the same network namespace. `kybern-policy`. */
  table: string;
  /** Milliseconds between two changes of the kernel, once two came close upon another. 100. */
  minSyncPeriod: number;
  /** Milliseconds after which the table is looked for, and made anew where somebody removed it. 30,000. */
  syncPeriod: number;
}

export interface RunningPolicy {
  /** Resolves when the kernel first holds all policies. */
  readonly ready: Promise<void>;
  /**
   * Tells the addresses of a pod of this node as soon as its sandbox has them, before its containers start: resolves
   * when its policies hold for them. Else they hold once the API server knows the addresses.
   */
  admit(pod: Pod, podIPs: readonly string[]): Promise<void>;
  /** Resolves when the kernel holds what the informers show now. */
  settled(): Promise<void>;
  /** Ends watches. The rules stay, so that what is refused stays refused until the next process takes over. */
  stop(): Promise<void>;
  /** Stops, and takes the rules away. */
  remove(): Promise<void>;
}
