import type { Facts } from "../facts.ts";

export const storageV1: Facts = {
  id: "storage.v1",
  group: "storage.k8s.io",
  messages: `
  CSIDriver@: 1 metadata, 2 spec
  CSIDriverList@: 1 metadata, 2 items
  CSIDriverSpec: 1 attachRequired, 2 podInfoOnMount, 3 volumeLifecycleModes, 4 storageCapacity,
    5 fsGroupPolicy, 6 tokenRequests, 7 requiresRepublish, 8 seLinuxMount,
    9 nodeAllocatableUpdatePeriodSeconds, 10 serviceAccountTokenInSecrets,
    11 preventPodSchedulingIfMissing
  CSINode@: 1 metadata, 2 spec
  CSINodeDriver: 1 name, 2 nodeID, 3 topologyKeys, 4 allocatable
  CSINodeList@: 1 metadata, 2 items
  CSINodeSpec: 1 drivers
  CSIStorageCapacity@: 1 metadata, 2 nodeTopology, 3 storageClassName, 4 capacity Quantity,
    5 maximumVolumeSize Quantity
  CSIStorageCapacityList@: 1 metadata, 2 items
  StorageClass@: 1 metadata, 2 provisioner, 3 parameters, 4 reclaimPolicy, 5 mountOptions,
    6 allowVolumeExpansion, 7 volumeBindingMode, 8 allowedTopologies
  StorageClassList@: 1 metadata, 2 items
  TokenRequest: 1 audience, 2 expirationSeconds
  VolumeAttachment@: 1 metadata, 2 spec, 3 status
  VolumeAttachmentList@: 1 metadata, 2 items
  VolumeAttachmentSource: 1 persistentVolumeName, 2 inlineVolumeSpec
  VolumeAttachmentSpec: 1 attacher, 2 source, 3 nodeName
  VolumeAttachmentStatus: 1 attached, 2 attachmentMetadata, 3 attachError, 4 detachError
  VolumeAttributesClass@: 1 metadata, 2 driverName, 3 parameters
  VolumeAttributesClassList@: 1 metadata, 2 items
  VolumeError: 1 time, 2 message, 3 errorCode
  VolumeNodeResources: 1 count
  `,
  merging: `
  CSIDriverSpec: tokenRequests atomic, volumeLifecycleModes set
  CSINodeDriver: topologyKeys atomic
  CSINodeSpec: drivers map(name) merge(name)
  StorageClass: allowedTopologies atomic, mountOptions atomic
  `,
  enums: `
  CSIDriverSpec: fsGroupPolicy File|None|ReadWriteOnceWithFSType
  StorageClass: reclaimPolicy Delete|Recycle|Retain, volumeBindingMode Immediate|WaitForFirstConsumer
  `,
  pointers: `
  CSIDriverSpec: attachRequired, fsGroupPolicy, nodeAllocatableUpdatePeriodSeconds, podInfoOnMount,
    preventPodSchedulingIfMissing, requiresRepublish, seLinuxMount, serviceAccountTokenInSecrets,
    storageCapacity
  CSIStorageCapacity: capacity, maximumVolumeSize
  StorageClass: allowVolumeExpansion, reclaimPolicy, volumeBindingMode
  TokenRequest: expirationSeconds
  VolumeAttachmentSource: persistentVolumeName
  VolumeError: errorCode
  VolumeNodeResources: count
  `,
  keptEmpty: `
  CSINodeDriver: topologyKeys
  `,
};
