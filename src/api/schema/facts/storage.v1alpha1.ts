import type { Facts } from "../facts.ts";

export const storageV1alpha1: Facts = {
  id: "storage.v1alpha1",
  group: "storage.k8s.io",
  unserved: true,
  messages: `
  CSIStorageCapacity@ = storage.v1
  CSIStorageCapacityList@ = storage.v1
  VolumeAttachment@ = storage.v1
  VolumeAttachmentList@ = storage.v1
  VolumeAttachmentSource = storage.v1
  VolumeAttachmentSpec = storage.v1
  VolumeAttachmentStatus = storage.v1
  VolumeAttributesClass@ = storage.v1
  VolumeAttributesClassList@ = storage.v1
  VolumeError = storage.v1
  `,
};
