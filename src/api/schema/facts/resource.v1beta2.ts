import type { Facts } from "../facts.ts";

export const resourceV1beta2: Facts = {
  id: "resource.v1beta2",
  group: "resource.k8s.io",
  messages: `
  AllocatedDeviceStatus = resource.v1
  AllocationResult = resource.v1
  CELDeviceSelector = resource.v1
  CapacityRequestPolicy = resource.v1
  CapacityRequestPolicyRange = resource.v1
  CapacityRequirements = resource.v1
  Counter = resource.v1
  CounterSet = resource.v1
  Device = resource.v1
  DeviceAllocationConfiguration = resource.v1
  DeviceAllocationResult = resource.v1
  DeviceAttribute = resource.v1
  DeviceCapacity = resource.v1
  DeviceClaim = resource.v1
  DeviceClaimConfiguration = resource.v1
  DeviceClass@ = resource.v1
  DeviceClassConfiguration = resource.v1
  DeviceClassList@ = resource.v1
  DeviceClassSpec = resource.v1
  DeviceConstraint = resource.v1
  DeviceCounterConsumption = resource.v1
  DeviceRequest = resource.v1
  DeviceRequestAllocationResult = resource.v1
  DeviceSelector = resource.v1
  DeviceSubRequest = resource.v1
  DeviceTaint = resource.v1
  DeviceTaintRule@: 1 metadata, 2 spec, 3 status
  DeviceTaintRuleList@: 1 metadata, 2 items
  DeviceTaintRuleSpec: 1 deviceSelector, 2 taint
  DeviceTaintRuleStatus: 1 conditions
  DeviceTaintSelector: 2 driver, 3 pool, 4 device
  DeviceToleration = resource.v1
  ExactDeviceRequest = resource.v1
  NetworkDeviceData = resource.v1
  NodeAllocatableResourceMapping = resource.v1
  OpaqueDeviceConfiguration = resource.v1
  ResourceClaim@ = resource.v1
  ResourceClaimConsumerReference = resource.v1
  ResourceClaimList@ = resource.v1
  ResourceClaimSpec = resource.v1
  ResourceClaimStatus = resource.v1
  ResourceClaimTemplate@ = resource.v1
  ResourceClaimTemplateList@ = resource.v1
  ResourceClaimTemplateSpec = resource.v1
  ResourcePool = resource.v1
  ResourceSlice@ = resource.v1
  ResourceSliceList@ = resource.v1
  ResourceSliceSpec = resource.v1
  `,
  merging: `
  DeviceTaintRuleStatus: conditions map(type) merge(type)
  `,
  pointers: `
  DeviceTaintSelector: device, driver, pool
  `,
};
