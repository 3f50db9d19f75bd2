/** Messages of CSI (v1) that nodes send, and of the registration of plugins. Names and numbers are the standard's. */
import {
  bool,
  integer,
  message,
  repeated,
  string,
  strings,
  sub,
  textMap,
} from "../../../host/grpc/messages.ts";

export const NodeCapability = {
  STAGE_UNSTAGE_VOLUME: 1,
  GET_VOLUME_STATS: 2,
  EXPAND_VOLUME: 3,
  VOLUME_CONDITION: 4,
  SINGLE_NODE_MULTI_WRITER: 5,
  VOLUME_MOUNT_GROUP: 6,
} as const;

export const AccessMode = {
  SINGLE_NODE_WRITER: 1,
  SINGLE_NODE_READER_ONLY: 2,
  MULTI_NODE_READER_ONLY: 3,
  MULTI_NODE_SINGLE_WRITER: 4,
  MULTI_NODE_MULTI_WRITER: 5,
  SINGLE_NODE_SINGLE_WRITER: 6,
  SINGLE_NODE_MULTI_WRITER: 7,
} as const;

export const Empty = message({});

const BlockVolume = message({});
const MountVolume = message({ fsType: string(1), mountFlags: strings(2), volumeMountGroup: string(3) });
const AccessModeOf = message({ mode: integer(1) });

export const VolumeCapability = message({
  block: sub(1, BlockVolume),
  mount: sub(2, MountVolume),
  accessMode: sub(3, AccessModeOf),
});

export const NodeStageVolumeRequest = message({
  volumeId: string(1),
  publishContext: textMap(2),
  stagingTargetPath: string(3),
  volumeCapability: sub(4, VolumeCapability),
  secrets: textMap(5),
  volumeContext: textMap(6),
});

export const NodeUnstageVolumeRequest = message({ volumeId: string(1), stagingTargetPath: string(2) });

export const NodePublishVolumeRequest = message({
  volumeId: string(1),
  publishContext: textMap(2),
  stagingTargetPath: string(3),
  targetPath: string(4),
  volumeCapability: sub(5, VolumeCapability),
  readonly: bool(6),
  secrets: textMap(7),
  volumeContext: textMap(8),
});

export const NodeUnpublishVolumeRequest = message({ volumeId: string(1), targetPath: string(2) });

const CapacityRange = message({ requiredBytes: integer(1), limitBytes: integer(2) });

export const NodeExpandVolumeRequest = message({
  volumeId: string(1),
  volumePath: string(2),
  capacityRange: sub(3, CapacityRange),
  stagingTargetPath: string(4),
  volumeCapability: sub(5, VolumeCapability),
  secrets: textMap(6),
});
export const NodeExpandVolumeResponse = message({ capacityBytes: integer(1) });

const RPC = message({ type: integer(1) });
const NodeServiceCapability = message({ rpc: sub(1, RPC) });
export const NodeGetCapabilitiesResponse = message({ capabilities: repeated(1, NodeServiceCapability) });

const Topology = message({ segments: textMap(1) });
export const NodeGetInfoResponse = message({
  nodeId: string(1),
  maxVolumesPerNode: integer(2),
  accessibleTopology: sub(3, Topology),
});

export const PluginInfo = message({
  type: string(1),
  name: string(2),
  endpoint: string(3),
  supportedVersions: strings(4),
});
export const RegistrationStatus = message({ pluginRegistered: bool(1), error: string(2) });
