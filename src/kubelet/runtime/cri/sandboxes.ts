/** Messages of the CRI, v1: the sandboxes of pods. Names and numbers are the standard's. */
import {
  bool,
  integer,
  integers,
  message,
  type Received,
  repeated,
  string,
  sub,
  textMap,
} from "../../../host/grpc/messages.ts";
import {
  ContainerStatus,
  LinuxContainerResources,
  PodSandboxConfig,
  PodSandboxMetadata,
  PodSandboxStatus,
} from "./shared.ts";

export const RunPodSandboxRequest = message({
  config: sub(1, PodSandboxConfig),
  runtimeHandler: string(2),
});
export type RunPodSandboxRequest = Received<typeof RunPodSandboxRequest>;

export const RunPodSandboxResponse = message({
  podSandboxId: string(1),
});
export type RunPodSandboxResponse = Received<typeof RunPodSandboxResponse>;

export const StopPodSandboxRequest = message({
  podSandboxId: string(1),
});
export type StopPodSandboxRequest = Received<typeof StopPodSandboxRequest>;

export const RemovePodSandboxRequest = message({
  podSandboxId: string(1),
});
export type RemovePodSandboxRequest = Received<typeof RemovePodSandboxRequest>;

export const PodSandboxStatusRequest = message({
  podSandboxId: string(1),
  verbose: bool(2),
});
export type PodSandboxStatusRequest = Received<typeof PodSandboxStatusRequest>;

export const PodSandboxStatusResponse = message({
  status: sub(1, PodSandboxStatus),
  info: textMap(2),
  containersStatuses: repeated(3, ContainerStatus),
  timestamp: integer(4),
});
export type PodSandboxStatusResponse = Received<typeof PodSandboxStatusResponse>;

export const PodSandboxStateValue = message({
  state: integer(1),
});
export type PodSandboxStateValue = Received<typeof PodSandboxStateValue>;

export const PodSandboxFilter = message({
  id: string(1),
  state: sub(2, PodSandboxStateValue),
  labelSelector: textMap(3),
});
export type PodSandboxFilter = Received<typeof PodSandboxFilter>;

export const ListPodSandboxRequest = message({
  filter: sub(1, PodSandboxFilter),
});
export type ListPodSandboxRequest = Received<typeof ListPodSandboxRequest>;

export const PodSandbox = message({
  id: string(1),
  metadata: sub(2, PodSandboxMetadata),
  state: integer(3),
  createdAt: integer(4),
  labels: textMap(5),
  annotations: textMap(6),
  runtimeHandler: string(7),
});
export type PodSandbox = Received<typeof PodSandbox>;

export const ListPodSandboxResponse = message({
  items: repeated(1, PodSandbox),
});
export type ListPodSandboxResponse = Received<typeof ListPodSandboxResponse>;

export const UpdatePodSandboxResourcesRequest = message({
  podSandboxId: string(1),
  overhead: sub(2, LinuxContainerResources),
  resources: sub(3, LinuxContainerResources),
});
export type UpdatePodSandboxResourcesRequest = Received<typeof UpdatePodSandboxResourcesRequest>;

export const PortForwardRequest = message({
  podSandboxId: string(1),
  port: integers(2),
});
export type PortForwardRequest = Received<typeof PortForwardRequest>;

export const PortForwardResponse = message({
  url: string(1),
});
export type PortForwardResponse = Received<typeof PortForwardResponse>;
