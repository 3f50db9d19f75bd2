import type { Facts } from "../facts.ts";

export const discoveryV1: Facts = {
  id: "discovery.v1",
  group: "discovery.k8s.io",
  messages: `
  Endpoint: 1 addresses, 2 conditions, 3 hostname, 4 targetRef, 5 deprecatedTopology, 6 nodeName, 7 zone,
    8 hints
  EndpointConditions: 1 ready, 2 serving, 3 terminating
  EndpointHints: 1 forZones, 2 forNodes
  EndpointPort: 1 name, 2 protocol, 3 port, 4 appProtocol
  EndpointSlice@: 1 metadata, 2 endpoints, 3 ports, 4 addressType
  EndpointSliceList@: 1 metadata, 2 items
  ForNode: 1 name
  ForZone: 1 name
  `,
  merging: `
  Endpoint: addresses set
  EndpointHints: forNodes atomic, forZones atomic
  EndpointSlice: endpoints atomic, ports atomic
  `,
  atomic: `
  EndpointPort
  `,
  enums: `
  EndpointSlice: addressType FQDN|IPv4|IPv6
  `,
  pointers: `
  Endpoint: hostname, nodeName, zone
  EndpointConditions: ready, serving, terminating
  EndpointPort: appProtocol, name, port, protocol
  `,
  keptEmpty: `
  EndpointSlice: endpoints, ports
  `,
};
