/** Messages of the CRI, v1: the container runtime itself. Names and numbers are the standard's. */
import {
  bool,
  integer,
  message,
  type Received,
  repeated,
  string,
  sub,
  textMap,
} from "../../../host/grpc/messages.ts";

export const CgroupDriver = { SYSTEMD: 0, CGROUPFS: 1 } as const;

export const VersionRequest = message({
  version: string(1),
});
export type VersionRequest = Received<typeof VersionRequest>;

export const VersionResponse = message({
  version: string(1),
  runtimeName: string(2),
  runtimeVersion: string(3),
  runtimeApiVersion: string(4),
});
export type VersionResponse = Received<typeof VersionResponse>;

export const NetworkConfig = message({
  podCidr: string(1),
});
export type NetworkConfig = Received<typeof NetworkConfig>;

export const RuntimeConfig = message({
  networkConfig: sub(1, NetworkConfig),
});
export type RuntimeConfig = Received<typeof RuntimeConfig>;

export const UpdateRuntimeConfigRequest = message({
  runtimeConfig: sub(1, RuntimeConfig),
});
export type UpdateRuntimeConfigRequest = Received<typeof UpdateRuntimeConfigRequest>;

export const StatusRequest = message({
  verbose: bool(1),
});
export type StatusRequest = Received<typeof StatusRequest>;

export const RuntimeCondition = message({
  type: string(1),
  status: bool(2),
  reason: string(3),
  message: string(4),
});
export type RuntimeCondition = Received<typeof RuntimeCondition>;

export const RuntimeStatus = message({
  conditions: repeated(1, RuntimeCondition),
});
export type RuntimeStatus = Received<typeof RuntimeStatus>;

export const RuntimeHandlerFeatures = message({
  recursiveReadOnlyMounts: bool(1),
  userNamespaces: bool(2),
});
export type RuntimeHandlerFeatures = Received<typeof RuntimeHandlerFeatures>;

export const RuntimeHandler = message({
  name: string(1),
  features: sub(2, RuntimeHandlerFeatures),
});
export type RuntimeHandler = Received<typeof RuntimeHandler>;

export const RuntimeFeatures = message({
  supplementalGroupsPolicy: bool(1),
  userNamespacesHostNetwork: bool(2),
});
export type RuntimeFeatures = Received<typeof RuntimeFeatures>;

export const StatusResponse = message({
  status: sub(1, RuntimeStatus),
  info: textMap(2),
  runtimeHandlers: repeated(3, RuntimeHandler),
  features: sub(4, RuntimeFeatures),
});
export type StatusResponse = Received<typeof StatusResponse>;

export const RuntimeConfigRequest = message({});

export const LinuxRuntimeConfiguration = message({
  cgroupDriver: integer(1),
});
export type LinuxRuntimeConfiguration = Received<typeof LinuxRuntimeConfiguration>;

export const RuntimeConfigResponse = message({
  linux: sub(1, LinuxRuntimeConfiguration),
});
export type RuntimeConfigResponse = Received<typeof RuntimeConfigResponse>;
