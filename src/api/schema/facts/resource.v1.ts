import type { Facts } from "../facts.ts";

export const resourceV1: Facts = {
  id: "resource.v1",
  group: "resource.k8s.io",
  messages: `
  AllocatedDeviceStatus: 1 driver, 2 pool, 3 device, 4 conditions, 5 data RawExtension, 6 networkData,
    7 shareID
  AllocationResult: 1 devices, 3 nodeSelector, 5 allocationTimestamp
  CELDeviceSelector: 1 expression
  CapacityRequestPolicy: 1 default Quantity, 3 validValues [Quantity], 4 validRange
  CapacityRequestPolicyRange: 1 min Quantity, 2 max Quantity, 3 step Quantity
  CapacityRequirements: 1 requests {Quantity}
  Counter: 1 value Quantity
  CounterSet: 1 name, 2 counters
  Device: 1 name, 2 attributes, 3 capacity, 4 consumesCounters, 5 nodeName, 6 nodeSelector, 7 allNodes,
    8 taints, 9 bindsToNode, 10 bindingConditions, 11 bindingFailureConditions,
    12 allowMultipleAllocations, 13 nodeAllocatableResourceMappings
  DeviceAllocationConfiguration: 1 source, 2 requests, 3/1 opaque
  DeviceAllocationResult: 1 results, 2 config
  DeviceAttribute: 2 int, 3 bool, 4 string, 5 version, 6 ints, 7 bools, 8 strings, 9 versions
  DeviceCapacity: 1 value Quantity, 2 requestPolicy
  DeviceClaim: 1 requests, 2 constraints, 3 config
  DeviceClaimConfiguration: 1 requests, 2/1 opaque
  DeviceClass@: 1 metadata, 2 spec
  DeviceClassConfiguration: 1/1 opaque
  DeviceClassList@: 1 metadata, 2 items
  DeviceClassSpec: 1 selectors, 2 config, 4 extendedResourceName
  DeviceConstraint: 1 requests, 2 matchAttribute, 3 distinctAttribute
  DeviceCounterConsumption: 1 counterSet, 2 counters
  DeviceRequest: 1 name, 2 exactly, 3 firstAvailable
  DeviceRequestAllocationResult: 1 request, 2 driver, 3 pool, 4 device, 5 adminAccess, 6 tolerations,
    7 bindingConditions, 8 bindingFailureConditions, 9 shareID, 10 consumedCapacity {Quantity}
  DeviceSelector: 1 cel
  DeviceSubRequest: 1 name, 2 deviceClassName, 3 selectors, 4 allocationMode, 5 count, 6 tolerations,
    7 capacity
  DeviceTaint: 1 key, 2 value, 3 effect, 4 timeAdded
  DeviceToleration: 1 key, 2 operator, 3 value, 4 effect, 5 tolerationSeconds
  ExactDeviceRequest: 1 deviceClassName, 2 selectors, 3 allocationMode, 4 count, 5 adminAccess,
    6 tolerations, 7 capacity
  NetworkDeviceData: 1 interfaceName, 2 ips, 3 hardwareAddress
  NodeAllocatableResourceMapping: 1 capacityKey, 2 allocationMultiplier Quantity
  OpaqueDeviceConfiguration: 1 driver, 2 parameters RawExtension
  ResourceClaim@: 1 metadata, 2 spec, 3 status
  ResourceClaimConsumerReference: 1 apiGroup, 3 resource, 4 name, 5 uid
  ResourceClaimList@: 1 metadata, 2 items
  ResourceClaimSpec: 1 devices
  ResourceClaimStatus: 1 allocation, 2 reservedFor, 4 devices
  ResourceClaimTemplate@: 1 metadata, 2 spec
  ResourceClaimTemplateList@: 1 metadata, 2 items
  ResourceClaimTemplateSpec: 1 metadata, 2 spec
  ResourcePool: 1 name, 2 generation, 3 resourceSliceCount
  ResourceSlice@: 1 metadata, 2 spec
  ResourceSliceList@: 1 metadata, 2 items
  ResourceSliceSpec: 1 driver, 2 pool, 3 nodeName, 4 nodeSelector, 5 allNodes, 6 devices,
    7 perDeviceNodeSelection, 8 sharedCounters
  `,
  merging: `
  AllocatedDeviceStatus: conditions map(type)
  CapacityRequestPolicy: validValues atomic
  Device: bindingConditions atomic, bindingFailureConditions atomic, consumesCounters atomic,
    taints atomic
  DeviceAllocationConfiguration: requests atomic
  DeviceAllocationResult: config atomic, results atomic
  DeviceAttribute: bools atomic, ints atomic, strings atomic, versions atomic
  DeviceClaim: config atomic, constraints atomic, requests atomic
  DeviceClaimConfiguration: requests atomic
  DeviceClassSpec: config atomic, selectors atomic
  DeviceConstraint: requests atomic
  DeviceRequest: firstAvailable atomic
  DeviceRequestAllocationResult: bindingConditions atomic, bindingFailureConditions atomic,
    tolerations atomic
  DeviceSubRequest: selectors atomic, tolerations atomic
  ExactDeviceRequest: selectors atomic, tolerations atomic
  NetworkDeviceData: ips atomic
  ResourceClaimStatus: devices map(driver,device,pool,shareID), reservedFor map(uid) merge(uid)
  ResourceSliceSpec: devices atomic, sharedCounters atomic
  `,
  pointers: `
  AllocatedDeviceStatus: shareID
  CapacityRequestPolicy: default
  CapacityRequestPolicyRange: max, min, step
  Device: allNodes, allowMultipleAllocations, bindsToNode, nodeName
  DeviceAttribute: bool, int, string, version
  DeviceClassSpec: extendedResourceName
  DeviceConstraint: distinctAttribute, matchAttribute
  DeviceRequestAllocationResult: adminAccess, shareID
  DeviceToleration: tolerationSeconds
  ExactDeviceRequest: adminAccess
  ResourceSliceSpec: allNodes, nodeName, perDeviceNodeSelection
  `,
  keptEmpty: `
  DeviceClaim: requests
  `,
};
