import type { Facts } from "../facts.ts";

export const storageV1beta1: Facts = {
  id: "storage.v1beta1",
  group: "storage.k8s.io",
  messages: `
  CSIDriver@ = storage.v1
  CSIDriverList@ = storage.v1
  CSIDriverSpec = storage.v1
  CSINode@ = storage.v1
  CSINodeDriver = storage.v1
  CSINodeList@ = storage.v1
  CSINodeSpec = storage.v1
  CSIStorageCapacity@ = storage.v1
  CSIStorageCapacityList@ = storage.v1
  StorageClass@ = storage.v1
  StorageClassList@ = storage.v1
  TokenRequest = storage.v1
  VolumeAttachment@ = storage.v1
  VolumeAttachmentList@ = storage.v1
  VolumeAttachmentSource = storage.v1
  VolumeAttachmentSpec = storage.v1
  VolumeAttachmentStatus = storage.v1
  VolumeAttributesClass@ = storage.v1
  VolumeAttributesClassList@ = storage.v1
  VolumeError = storage.v1
  VolumeNodeResources = storage.v1
  `,
};
