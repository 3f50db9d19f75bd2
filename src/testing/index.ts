/** `kybern/testing`: a cluster inside a test, and the kinds by which its client is typed. */

export type { KubeObject } from "../api/object.ts";
export { type Clock, VirtualClock } from "../base/clock.ts";
export type { Client } from "../client/client.ts";
export type { ObjectList, ResourceClient, ResourceKind } from "../client/resource-client.ts";
export type { WatchEvent } from "../client/watch-events.ts";
export { StatusError } from "../machinery/status/status-error.ts";
export * from "./kinds.ts";
export {
  type Cluster,
  type ClusterOptions,
  type ListeningCluster,
  startCluster,
  type VirtualCluster,
} from "./start-cluster.ts";
export type { RunOptions, VirtualTime } from "./virtual-time.ts";
