/** Messages of the CRI, v1: containers, and what runs in them. Names and numbers are the standard's. */
import {
  bool,
  bytes,
  integer,
  integers,
  message,
  type Received,
  repeated,
  string,
  strings,
  sub,
  textMap,
} from "../../../host/grpc/messages.ts";
import {
  ContainerMetadata,
  ContainerStatus,
  ImageSpec,
  Int64Value,
  LinuxContainerResources,
  Mount,
  NamespaceOption,
  PodSandboxConfig,
  PodSandboxStatus,
  SELinuxOption,
  SecurityProfile,
} from "./shared.ts";

export const ContainerEventType = {
  CONTAINER_CREATED_EVENT: 0,
  CONTAINER_STARTED_EVENT: 1,
  CONTAINER_STOPPED_EVENT: 2,
  CONTAINER_DELETED_EVENT: 3,
} as const;

export const KeyValue = message({
  key: string(1),
  value: bytes(2),
});
export type KeyValue = Received<typeof KeyValue>;

export const Device = message({
  containerPath: string(1),
  hostPath: string(2),
  permissions: string(3),
});
export type Device = Received<typeof Device>;

export const Capability = message({
  addCapabilities: strings(1),
  dropCapabilities: strings(2),
  addAmbientCapabilities: strings(3),
});
export type Capability = Received<typeof Capability>;

export const LinuxContainerSecurityContext = message({
  capabilities: sub(1, Capability),
  privileged: bool(2),
  namespaceOptions: sub(3, NamespaceOption),
  selinuxOptions: sub(4, SELinuxOption),
  runAsUser: sub(5, Int64Value),
  runAsGroup: sub(12, Int64Value),
  runAsUsername: string(6),
  readonlyRootfs: bool(7),
  supplementalGroups: integers(8),
  supplementalGroupsPolicy: integer(17),
  noNewPrivs: bool(11),
  maskedPaths: strings(13),
  readonlyPaths: strings(14),
  seccomp: sub(15, SecurityProfile),
  apparmor: sub(16, SecurityProfile),
  apparmorProfile: string(9),
  seccompProfilePath: string(10),
});
export type LinuxContainerSecurityContext = Received<typeof LinuxContainerSecurityContext>;

export const LinuxContainerConfig = message({
  resources: sub(1, LinuxContainerResources),
  securityContext: sub(2, LinuxContainerSecurityContext),
});
export type LinuxContainerConfig = Received<typeof LinuxContainerConfig>;

export const CDIDevice = message({
  name: string(1),
});
export type CDIDevice = Received<typeof CDIDevice>;

export const ContainerConfig = message({
  metadata: sub(1, ContainerMetadata),
  image: sub(2, ImageSpec),
  command: strings(3),
  args: strings(4),
  workingDir: string(5),
  envs: repeated(6, KeyValue),
  mounts: repeated(7, Mount),
  devices: repeated(8, Device),
  labels: textMap(9),
  annotations: textMap(10),
  logPath: string(11),
  stdin: bool(12),
  stdinOnce: bool(13),
  tty: bool(14),
  linux: sub(15, LinuxContainerConfig),
  CDIDevices: repeated(17, CDIDevice),
  stopSignal: integer(18),
});
export type ContainerConfig = Received<typeof ContainerConfig>;

export const CreateContainerRequest = message({
  podSandboxId: string(1),
  config: sub(2, ContainerConfig),
  sandboxConfig: sub(3, PodSandboxConfig),
});
export type CreateContainerRequest = Received<typeof CreateContainerRequest>;

export const CreateContainerResponse = message({
  containerId: string(1),
});
export type CreateContainerResponse = Received<typeof CreateContainerResponse>;

export const StartContainerRequest = message({
  containerId: string(1),
});
export type StartContainerRequest = Received<typeof StartContainerRequest>;

export const StopContainerRequest = message({
  containerId: string(1),
  timeout: integer(2),
});
export type StopContainerRequest = Received<typeof StopContainerRequest>;

export const RemoveContainerRequest = message({
  containerId: string(1),
});
export type RemoveContainerRequest = Received<typeof RemoveContainerRequest>;

export const ContainerStateValue = message({
  state: integer(1),
});
export type ContainerStateValue = Received<typeof ContainerStateValue>;

export const ContainerFilter = message({
  id: string(1),
  state: sub(2, ContainerStateValue),
  podSandboxId: string(3),
  labelSelector: textMap(4),
});
export type ContainerFilter = Received<typeof ContainerFilter>;

export const ListContainersRequest = message({
  filter: sub(1, ContainerFilter),
});
export type ListContainersRequest = Received<typeof ListContainersRequest>;

export const Container = message({
  id: string(1),
  podSandboxId: string(2),
  metadata: sub(3, ContainerMetadata),
  image: sub(4, ImageSpec),
  imageRef: string(5),
  state: integer(6),
  createdAt: integer(7),
  labels: textMap(8),
  annotations: textMap(9),
  imageId: string(10),
});
export type Container = Received<typeof Container>;

export const ListContainersResponse = message({
  containers: repeated(1, Container),
});
export type ListContainersResponse = Received<typeof ListContainersResponse>;

export const ContainerStatusRequest = message({
  containerId: string(1),
  verbose: bool(2),
});
export type ContainerStatusRequest = Received<typeof ContainerStatusRequest>;

export const ContainerStatusResponse = message({
  status: sub(1, ContainerStatus),
  info: textMap(2),
});
export type ContainerStatusResponse = Received<typeof ContainerStatusResponse>;

export const UpdateContainerResourcesRequest = message({
  containerId: string(1),
  linux: sub(2, LinuxContainerResources),
  annotations: textMap(4),
});
export type UpdateContainerResourcesRequest = Received<typeof UpdateContainerResourcesRequest>;

export const ExecSyncRequest = message({
  containerId: string(1),
  cmd: strings(2),
  timeout: integer(3),
});
export type ExecSyncRequest = Received<typeof ExecSyncRequest>;

export const ExecSyncResponse = message({
  stdout: bytes(1),
  stderr: bytes(2),
  exitCode: integer(3),
});
export type ExecSyncResponse = Received<typeof ExecSyncResponse>;

export const ExecRequest = message({
  containerId: string(1),
  cmd: strings(2),
  tty: bool(3),
  stdin: bool(4),
  stdout: bool(5),
  stderr: bool(6),
});
export type ExecRequest = Received<typeof ExecRequest>;

export const ExecResponse = message({
  url: string(1),
});
export type ExecResponse = Received<typeof ExecResponse>;

export const AttachRequest = message({
  containerId: string(1),
  stdin: bool(2),
  tty: bool(3),
  stdout: bool(4),
  stderr: bool(5),
});
export type AttachRequest = Received<typeof AttachRequest>;

export const AttachResponse = message({
  url: string(1),
});
export type AttachResponse = Received<typeof AttachResponse>;

export const ReopenContainerLogRequest = message({
  containerId: string(1),
});
export type ReopenContainerLogRequest = Received<typeof ReopenContainerLogRequest>;

export const GetEventsRequest = message({});

export const ContainerEventResponse = message({
  containerId: string(1),
  containerEventType: integer(2),
  createdAt: integer(3),
  podSandboxStatus: sub(4, PodSandboxStatus),
  containersStatuses: repeated(5, ContainerStatus),
});
export type ContainerEventResponse = Received<typeof ContainerEventResponse>;
