import type { Facts } from "../facts.ts";

export const apidiscoveryV2beta1: Facts = {
  id: "apidiscovery.v2beta1",
  group: "apidiscovery.k8s.io",
  unserved: true,
  deletable: false,
  messages: `
  APIGroupDiscovery@ = apidiscovery.v2
  APIGroupDiscoveryList@ = apidiscovery.v2
  APIResourceDiscovery@ = apidiscovery.v2
  APISubresourceDiscovery@ = apidiscovery.v2
  APIVersionDiscovery@ = apidiscovery.v2
  `,
};
