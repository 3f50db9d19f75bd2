import type { Facts } from "../facts.ts";

export const discoveryV1beta1: Facts = {
  id: "discovery.v1beta1",
  group: "discovery.k8s.io",
  unserved: true,
  messages: `
  Endpoint: 1 addresses [string], 2 conditions EndpointConditions, 3 hostname string,
    4 targetRef core.v1.ObjectReference, 5 topology {string}, 6 nodeName string, 7 hints EndpointHints
  EndpointConditions = discovery.v1
  EndpointHints = discovery.v1
  EndpointPort = discovery.v1
  EndpointSlice@ = discovery.v1
  EndpointSliceList@ = discovery.v1
  ForNode = discovery.v1
  ForZone = discovery.v1
  `,
};
