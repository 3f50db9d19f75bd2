/** Messages of the CRI, v1: what containers and sandboxes use. Names and numbers are the standard's. */
import {
  integer,
  message,
  type Received,
  repeated,
  string,
  sub,
  textMap,
} from "../../../host/grpc/messages.ts";
import { ContainerMetadata, FilesystemUsage, PodSandboxMetadata, UInt64Value } from "./shared.ts";

export const ContainerStatsRequest = message({
  containerId: string(1),
});
export type ContainerStatsRequest = Received<typeof ContainerStatsRequest>;

export const ContainerAttributes = message({
  id: string(1),
  metadata: sub(2, ContainerMetadata),
  labels: textMap(3),
  annotations: textMap(4),
});
export type ContainerAttributes = Received<typeof ContainerAttributes>;

export const PsiData = message({
  Total: integer(1),
  Avg10: integer(2),
  Avg60: integer(3),
  Avg300: integer(4),
});
export type PsiData = Received<typeof PsiData>;

export const PsiStats = message({
  Full: sub(1, PsiData),
  Some: sub(2, PsiData),
});
export type PsiStats = Received<typeof PsiStats>;

export const CpuUsage = message({
  timestamp: integer(1),
  usageCoreNanoSeconds: sub(2, UInt64Value),
  usageNanoCores: sub(3, UInt64Value),
  psi: sub(4, PsiStats),
});
export type CpuUsage = Received<typeof CpuUsage>;

export const MemoryUsage = message({
  timestamp: integer(1),
  workingSetBytes: sub(2, UInt64Value),
  availableBytes: sub(3, UInt64Value),
  usageBytes: sub(4, UInt64Value),
  rssBytes: sub(5, UInt64Value),
  pageFaults: sub(6, UInt64Value),
  majorPageFaults: sub(7, UInt64Value),
  psi: sub(8, PsiStats),
});
export type MemoryUsage = Received<typeof MemoryUsage>;

export const SwapUsage = message({
  timestamp: integer(1),
  swapAvailableBytes: sub(2, UInt64Value),
  swapUsageBytes: sub(3, UInt64Value),
});
export type SwapUsage = Received<typeof SwapUsage>;

export const IoUsage = message({
  timestamp: integer(1),
  psi: sub(2, PsiStats),
});
export type IoUsage = Received<typeof IoUsage>;

export const ContainerStats = message({
  attributes: sub(1, ContainerAttributes),
  cpu: sub(2, CpuUsage),
  memory: sub(3, MemoryUsage),
  writableLayer: sub(4, FilesystemUsage),
  swap: sub(5, SwapUsage),
  io: sub(6, IoUsage),
});
export type ContainerStats = Received<typeof ContainerStats>;

export const ContainerStatsResponse = message({
  stats: sub(1, ContainerStats),
});
export type ContainerStatsResponse = Received<typeof ContainerStatsResponse>;

export const ContainerStatsFilter = message({
  id: string(1),
  podSandboxId: string(2),
  labelSelector: textMap(3),
});
export type ContainerStatsFilter = Received<typeof ContainerStatsFilter>;

export const ListContainerStatsRequest = message({
  filter: sub(1, ContainerStatsFilter),
});
export type ListContainerStatsRequest = Received<typeof ListContainerStatsRequest>;

export const ListContainerStatsResponse = message({
  stats: repeated(1, ContainerStats),
});
export type ListContainerStatsResponse = Received<typeof ListContainerStatsResponse>;

export const PodSandboxStatsRequest = message({
  podSandboxId: string(1),
});
export type PodSandboxStatsRequest = Received<typeof PodSandboxStatsRequest>;

export const PodSandboxAttributes = message({
  id: string(1),
  metadata: sub(2, PodSandboxMetadata),
  labels: textMap(3),
  annotations: textMap(4),
});
export type PodSandboxAttributes = Received<typeof PodSandboxAttributes>;

export const NetworkInterfaceUsage = message({
  name: string(1),
  rxBytes: sub(2, UInt64Value),
  rxErrors: sub(3, UInt64Value),
  txBytes: sub(4, UInt64Value),
  txErrors: sub(5, UInt64Value),
});
export type NetworkInterfaceUsage = Received<typeof NetworkInterfaceUsage>;

export const NetworkUsage = message({
  timestamp: integer(1),
  defaultInterface: sub(2, NetworkInterfaceUsage),
  interfaces: repeated(3, NetworkInterfaceUsage),
});
export type NetworkUsage = Received<typeof NetworkUsage>;

export const ProcessUsage = message({
  timestamp: integer(1),
  processCount: sub(2, UInt64Value),
});
export type ProcessUsage = Received<typeof ProcessUsage>;

export const LinuxPodSandboxStats = message({
  cpu: sub(1, CpuUsage),
  memory: sub(2, MemoryUsage),
  network: sub(3, NetworkUsage),
  process: sub(4, ProcessUsage),
  containers: repeated(5, ContainerStats),
  io: sub(6, IoUsage),
});
export type LinuxPodSandboxStats = Received<typeof LinuxPodSandboxStats>;

export const PodSandboxStats = message({
  attributes: sub(1, PodSandboxAttributes),
  linux: sub(2, LinuxPodSandboxStats),
});
export type PodSandboxStats = Received<typeof PodSandboxStats>;

export const PodSandboxStatsResponse = message({
  stats: sub(1, PodSandboxStats),
});
export type PodSandboxStatsResponse = Received<typeof PodSandboxStatsResponse>;

export const PodSandboxStatsFilter = message({
  id: string(1),
  labelSelector: textMap(2),
});
export type PodSandboxStatsFilter = Received<typeof PodSandboxStatsFilter>;

export const ListPodSandboxStatsRequest = message({
  filter: sub(1, PodSandboxStatsFilter),
});
export type ListPodSandboxStatsRequest = Received<typeof ListPodSandboxStatsRequest>;

export const ListPodSandboxStatsResponse = message({
  stats: repeated(1, PodSandboxStats),
});
export type ListPodSandboxStatsResponse = Received<typeof ListPodSandboxStatsResponse>;
