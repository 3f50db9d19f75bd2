import type { Facts } from "../facts.ts";

export const resourceV1alpha3: Facts = {
  id: "resource.v1alpha3",
  group: "resource.k8s.io",
  messages: `
  CELDeviceSelector = resource.v1
  DeviceSelector = resource.v1
  DeviceTaint = resource.v1
  DeviceTaintRule@ = resource.v1beta2
  DeviceTaintRuleList@ = resource.v1beta2
  DeviceTaintRuleSpec = resource.v1beta2
  DeviceTaintRuleStatus = resource.v1beta2
  DeviceTaintSelector = resource.v1beta2
  PoolStatus: 1 driver, 2 poolName, 3 nodeName, 4 totalDevices, 5 allocatedDevices, 6 availableDevices,
    7 unavailableDevices, 8 resourceSliceCount, 9 generation, 10 validationError
  ResourcePoolStatusRequest@: 1 metadata, 2 spec, 3 status
  ResourcePoolStatusRequestList@: 1 metadata, 2 items
  ResourcePoolStatusRequestSpec: 1 driver, 2 poolName, 3 limit
  ResourcePoolStatusRequestStatus: 2 pools, 3 conditions, 6 poolCount
  `,
  merging: `
  ResourcePoolStatusRequestStatus: conditions map(type) merge(type), pools atomic
  `,
};
