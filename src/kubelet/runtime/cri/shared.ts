/** Messages of the CRI, v1: what messages of several parts of the CRI share. Names and numbers are the standard's. */
import {
  bool,
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

export const Protocol = { TCP: 0, UDP: 1, SCTP: 2 } as const;
export const NamespaceMode = { POD: 0, CONTAINER: 1, NODE: 2, TARGET: 3 } as const;
export const ProfileType = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const;
export const SupplementalGroupsPolicy = { Merge: 0, Strict: 1 } as const;
export const PodSandboxState = { SANDBOX_READY: 0, SANDBOX_NOTREADY: 1 } as const;
export const MountPropagation = {
  PROPAGATION_PRIVATE: 0,
  PROPAGATION_HOST_TO_CONTAINER: 1,
  PROPAGATION_BIDIRECTIONAL: 2,
} as const;
export const ContainerState = {
  CONTAINER_CREATED: 0,
  CONTAINER_RUNNING: 1,
  CONTAINER_EXITED: 2,
  CONTAINER_UNKNOWN: 3,
} as const;

export const PodSandboxMetadata = message({
  name: string(1),
  uid: string(2),
  namespace: string(3),
  attempt: integer(4),
});
export type PodSandboxMetadata = Received<typeof PodSandboxMetadata>;

export const DNSConfig = message({
  servers: strings(1),
  searches: strings(2),
  options: strings(3),
});
export type DNSConfig = Received<typeof DNSConfig>;

export const PortMapping = message({
  protocol: integer(1),
  containerPort: integer(2),
  hostPort: integer(3),
  hostIp: string(4),
});
export type PortMapping = Received<typeof PortMapping>;

export const IDMapping = message({
  hostId: integer(1),
  containerId: integer(2),
  length: integer(3),
});
export type IDMapping = Received<typeof IDMapping>;

export const UserNamespace = message({
  mode: integer(1),
  uids: repeated(2, IDMapping),
  gids: repeated(3, IDMapping),
});
export type UserNamespace = Received<typeof UserNamespace>;

export const NamespaceOption = message({
  network: integer(1),
  pid: integer(2),
  ipc: integer(3),
  targetId: string(4),
  usernsOptions: sub(5, UserNamespace),
});
export type NamespaceOption = Received<typeof NamespaceOption>;

export const SELinuxOption = message({
  user: string(1),
  role: string(2),
  type: string(3),
  level: string(4),
});
export type SELinuxOption = Received<typeof SELinuxOption>;

export const Int64Value = message({
  value: integer(1),
});
export type Int64Value = Received<typeof Int64Value>;

export const SecurityProfile = message({
  profileType: integer(1),
  localhostRef: string(2),
});
export type SecurityProfile = Received<typeof SecurityProfile>;

export const LinuxSandboxSecurityContext = message({
  namespaceOptions: sub(1, NamespaceOption),
  selinuxOptions: sub(2, SELinuxOption),
  runAsUser: sub(3, Int64Value),
  runAsGroup: sub(8, Int64Value),
  readonlyRootfs: bool(4),
  supplementalGroups: integers(5),
  supplementalGroupsPolicy: integer(11),
  privileged: bool(6),
  seccomp: sub(9, SecurityProfile),
  apparmor: sub(10, SecurityProfile),
  seccompProfilePath: string(7),
});
export type LinuxSandboxSecurityContext = Received<typeof LinuxSandboxSecurityContext>;

export const HugepageLimit = message({
  pageSize: string(1),
  limit: integer(2),
});
export type HugepageLimit = Received<typeof HugepageLimit>;

export const LinuxContainerResources = message({
  cpuPeriod: integer(1),
  cpuQuota: integer(2),
  cpuShares: integer(3),
  memoryLimitInBytes: integer(4),
  oomScoreAdj: integer(5),
  cpusetCpus: string(6),
  cpusetMems: string(7),
  hugepageLimits: repeated(8, HugepageLimit),
  unified: textMap(9),
  memorySwapLimitInBytes: integer(10),
});
export type LinuxContainerResources = Received<typeof LinuxContainerResources>;

export const LinuxPodSandboxConfig = message({
  cgroupParent: string(1),
  securityContext: sub(2, LinuxSandboxSecurityContext),
  sysctls: textMap(3),
  overhead: sub(4, LinuxContainerResources),
  resources: sub(5, LinuxContainerResources),
});
export type LinuxPodSandboxConfig = Received<typeof LinuxPodSandboxConfig>;

export const PodSandboxConfig = message({
  metadata: sub(1, PodSandboxMetadata),
  hostname: string(2),
  logDirectory: string(3),
  dnsConfig: sub(4, DNSConfig),
  portMappings: repeated(5, PortMapping),
  labels: textMap(6),
  annotations: textMap(7),
  linux: sub(8, LinuxPodSandboxConfig),
});
export type PodSandboxConfig = Received<typeof PodSandboxConfig>;

export const PodIP = message({
  ip: string(1),
});
export type PodIP = Received<typeof PodIP>;

export const PodSandboxNetworkStatus = message({
  ip: string(1),
  additionalIps: repeated(2, PodIP),
});
export type PodSandboxNetworkStatus = Received<typeof PodSandboxNetworkStatus>;

export const Namespace = message({
  options: sub(2, NamespaceOption),
});
export type Namespace = Received<typeof Namespace>;

export const LinuxPodSandboxStatus = message({
  namespaces: sub(1, Namespace),
});
export type LinuxPodSandboxStatus = Received<typeof LinuxPodSandboxStatus>;

export const PodSandboxStatus = message({
  id: string(1),
  metadata: sub(2, PodSandboxMetadata),
  state: integer(3),
  createdAt: integer(4),
  network: sub(5, PodSandboxNetworkStatus),
  linux: sub(6, LinuxPodSandboxStatus),
  labels: textMap(7),
  annotations: textMap(8),
  runtimeHandler: string(9),
});
export type PodSandboxStatus = Received<typeof PodSandboxStatus>;

export const ContainerMetadata = message({
  name: string(1),
  attempt: integer(2),
});
export type ContainerMetadata = Received<typeof ContainerMetadata>;

export const ImageSpec = message({
  image: string(1),
  annotations: textMap(2),
  userSpecifiedImage: string(18),
  runtimeHandler: string(19),
  imageRef: string(20),
});
export type ImageSpec = Received<typeof ImageSpec>;

export const Mount = message({
  containerPath: string(1),
  hostPath: string(2),
  readonly: bool(3),
  selinuxRelabel: bool(4),
  propagation: integer(5),
  uidMappings: repeated(6, IDMapping),
  gidMappings: repeated(7, IDMapping),
  recursiveReadOnly: bool(8),
  image: sub(9, ImageSpec),
  imageSubPath: string(10),
});
export type Mount = Received<typeof Mount>;

export const ContainerResources = message({
  linux: sub(1, LinuxContainerResources),
});
export type ContainerResources = Received<typeof ContainerResources>;

export const LinuxContainerUser = message({
  uid: integer(1),
  gid: integer(2),
  supplementalGroups: integers(3),
});
export type LinuxContainerUser = Received<typeof LinuxContainerUser>;

export const ContainerUser = message({
  linux: sub(1, LinuxContainerUser),
});
export type ContainerUser = Received<typeof ContainerUser>;

export const ContainerStatus = message({
  id: string(1),
  metadata: sub(2, ContainerMetadata),
  state: integer(3),
  createdAt: integer(4),
  startedAt: integer(5),
  finishedAt: integer(6),
  exitCode: integer(7),
  image: sub(8, ImageSpec),
  imageRef: string(9),
  reason: string(10),
  message: string(11),
  labels: textMap(12),
  annotations: textMap(13),
  mounts: repeated(14, Mount),
  logPath: string(15),
  resources: sub(16, ContainerResources),
  imageId: string(17),
  user: sub(18, ContainerUser),
  stopSignal: integer(19),
});
export type ContainerStatus = Received<typeof ContainerStatus>;

export const FilesystemIdentifier = message({
  mountpoint: string(1),
});
export type FilesystemIdentifier = Received<typeof FilesystemIdentifier>;

export const UInt64Value = message({
  value: integer(1),
});
export type UInt64Value = Received<typeof UInt64Value>;

export const FilesystemUsage = message({
  timestamp: integer(1),
  fsId: sub(2, FilesystemIdentifier),
  usedBytes: sub(3, UInt64Value),
  inodesUsed: sub(4, UInt64Value),
});
export type FilesystemUsage = Received<typeof FilesystemUsage>;
