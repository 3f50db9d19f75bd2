/** `kybern/testing`: a cluster inside a test, and the kinds by which its client is typed. */

export type { MeasuredNode, MeasuredPod, MetricsSource } from "../api/metrics/metrics-source.ts";
export type { KubeObject } from "../api/object.ts";
export { type Clock, VirtualClock } from "../base/clock.ts";
export type { Client } from "../client/client.ts";
export type { ObjectList, ResourceClient, ResourceKind } from "../client/resource-client.ts";
export type { WatchEvent } from "../client/watch-events.ts";
export { StatusError } from "../machinery/status/status-error.ts";
export type { NodeShape, NodesOptions } from "../simulate/node-shape.ts";
export type { Simulation } from "../simulate/simulation.ts";
export type { Stage } from "../simulate/stage.ts";
export * from "./kinds.ts";
export {
  type Cluster,
  type ClusterOf,
  type ClusterOptions,
  type ListeningCluster,
  type SimulatedCluster,
  startCluster,
  type VirtualCluster,
} from "./start-cluster.ts";
export type { RunOptions, VirtualTime } from "./virtual-time.ts";
