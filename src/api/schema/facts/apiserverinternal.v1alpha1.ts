import type { Facts } from "../facts.ts";

export const apiserverinternalV1alpha1: Facts = {
  id: "apiserverinternal.v1alpha1",
  group: "internal.apiserver.k8s.io",
  messages: `
  ServerStorageVersion: 1 apiServerID, 2 encodingVersion, 3 decodableVersions, 4 servedVersions
  StorageVersion@: 1 metadata, 2 spec StorageVersionSpec, 3 status
  StorageVersionCondition: 1 type, 2 status, 3 observedGeneration, 4 lastTransitionTime, 5 reason,
    6 message
  StorageVersionList@: 1 metadata, 2 items
  StorageVersionSpec:
  StorageVersionStatus: 1 storageVersions, 2 commonEncodingVersion, 3 conditions
  `,
  merging: `
  ServerStorageVersion: decodableVersions set, servedVersions set
  StorageVersionStatus: conditions map(type), storageVersions map(apiServerID)
  `,
};
