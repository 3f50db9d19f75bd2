import type { Facts } from "../facts.ts";

export const apidiscoveryV2: Facts = {
  id: "apidiscovery.v2",
  group: "apidiscovery.k8s.io",
  deletable: false,
  messages: `
  APIGroupDiscovery@: 1 metadata meta.v1.ObjectMeta, 2 versions [APIVersionDiscovery]
  APIGroupDiscoveryList@: 1 metadata meta.v1.ListMeta, 2 items [APIGroupDiscovery]
  APIResourceDiscovery@: 1 resource string, 2 responseKind meta.v1.GroupVersionKind, 3 scope string,
    4 singularResource string, 5 verbs [string], 6 shortNames [string], 7 categories [string],
    8 subresources [APISubresourceDiscovery]
  APISubresourceDiscovery@: 1 subresource string, 2 responseKind meta.v1.GroupVersionKind,
    3 acceptedTypes [meta.v1.GroupVersionKind], 4 verbs [string]
  APIVersionDiscovery@: 1 version string, 2 resources [APIResourceDiscovery], 3 freshness string
  `,
};
