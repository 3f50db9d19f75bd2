import type { Facts } from "../facts.ts";

export const resourceV1beta1: Facts = {
  id: "resource.v1beta1",
  group: "resource.k8s.io",
  messages: `
  AllocatedDeviceStatus = resource.v1
  AllocationResult = resource.v1
  BasicDevice: 1 attributes, 2 capacity, 3 consumesCounters, 4 nodeName, 5 nodeSelector, 6 allNodes,
    7 taints, 8 bindsToNode, 9 bindingConditions, 10 bindingFailureConditions,
    11 allowMultipleAllocations, 12 nodeAllocatableResourceMappings
  CELDeviceSelector = resource.v1
  CapacityRequestPolicy = resource.v1
  CapacityRequestPolicyRange = resource.v1
  CapacityRequirements = resource.v1
  Counter = resource.v1
  CounterSet = resource.v1
  Device: 1 name, 2 basic
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
  DeviceRequest: 1 name, 2 deviceClassName, 3 selectors, 4 allocationMode, 5 count, 6 adminAccess,
    7 firstAvailable, 8 tolerations, 9 capacity
  DeviceRequestAllocationResult = resource.v1
  DeviceSelector = resource.v1
  DeviceSubRequest: 1 name, 2 deviceClassName, 3 selectors, 4 allocationMode, 5 count, 7 tolerations,
    8 capacity
  DeviceTaint = resource.v1
  DeviceToleration = resource.v1
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
  BasicDevice: bindingConditions atomic, bindingFailureConditions atomic, consumesCounters atomic,
    taints atomic
  DeviceRequest: firstAvailable atomic, selectors atomic, tolerations atomic
  DeviceSubRequest: selectors atomic, tolerations atomic
  `,
  pointers: `
  BasicDevice: allNodes, allowMultipleAllocations, bindsToNode, nodeName
  DeviceRequest: adminAccess
  `,
};
