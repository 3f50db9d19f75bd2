import type { Summary } from "./summary.ts";

/** What the kubelet's server tells of usage. Figures are read when they are asked for, and kept for some seconds. */
export interface KubeletStats {
  /** For /stats/summary; `onlyCPUAndMemory` leaves out file systems and networks, which cost more to ask. */
  summary(onlyCPUAndMemory?: boolean): Promise<Summary>;
  /** For /metrics/resource: CPU and memory of node, pods and containers, in Prometheus' text form. */
  resourceMetrics(): Promise<string>;
  /** For /metrics/cadvisor: all that the kernel counts of control groups, in Prometheus' text form. */
  cadvisorMetrics(): Promise<string>;
}
