import type { Facts } from "../facts.ts";

export const networkingV1: Facts = {
  id: "networking.v1",
  group: "networking.k8s.io",
  messages: `
  HTTPIngressPath: 1 path, 2 backend, 3 pathType
  HTTPIngressRuleValue: 1 paths
  IPAddress@: 1 metadata, 2 spec
  IPAddressList@: 1 metadata, 2 items
  IPAddressSpec: 1 parentRef
  IPBlock: 1 cidr, 2 except
  Ingress@: 1 metadata, 2 spec, 3 status
  IngressBackend: 3 resource, 4 service
  IngressClass@: 1 metadata, 2 spec
  IngressClassList@: 1 metadata, 2 items
  IngressClassParametersReference: 1 apiGroup, 2 kind, 3 name, 4 scope, 5 namespace
  IngressClassSpec: 1 controller, 2 parameters
  IngressList@: 1 metadata, 2 items
  IngressLoadBalancerIngress: 1 ip, 2 hostname, 4 ports
  IngressLoadBalancerStatus: 1 ingress
  IngressPortStatus: 1 port, 2 protocol, 3 error
  IngressRule: 1 host, 2/1 http
  IngressServiceBackend: 1 name, 2 port
  IngressSpec: 1 defaultBackend, 2 tls, 3 rules, 4 ingressClassName
  IngressStatus: 1 loadBalancer
  IngressTLS: 1 hosts, 2 secretName
  NetworkPolicy@: 1 metadata, 2 spec
  NetworkPolicyEgressRule: 1 ports, 2 to
  NetworkPolicyIngressRule: 1 ports, 2 from
  NetworkPolicyList@: 1 metadata, 2 items
  NetworkPolicyPeer: 1 podSelector, 2 namespaceSelector, 3 ipBlock
  NetworkPolicyPort: 1 protocol, 2 port, 3 endPort
  NetworkPolicySpec: 1 podSelector, 2 ingress, 3 egress, 4 policyTypes
  ParentReference: 1 group, 2 resource, 3 namespace, 4 name
  ServiceBackendPort: 1 name, 2 number
  ServiceCIDR@: 1 metadata, 2 spec, 3 status
  ServiceCIDRList@: 1 metadata, 2 items
  ServiceCIDRSpec: 1 cidrs
  ServiceCIDRStatus: 1 conditions
  `,
  merging: `
  HTTPIngressRuleValue: paths atomic
  IPBlock: except atomic
  IngressLoadBalancerIngress: ports atomic
  IngressLoadBalancerStatus: ingress atomic
  IngressSpec: rules atomic, tls atomic
  IngressTLS: hosts atomic
  NetworkPolicyEgressRule: ports atomic, to atomic
  NetworkPolicyIngressRule: from atomic, ports atomic
  NetworkPolicySpec: egress atomic, ingress atomic, policyTypes atomic
  ServiceCIDRSpec: cidrs atomic
  ServiceCIDRStatus: conditions map(type) merge(type)
  `,
  atomic: `
  ServiceBackendPort
  `,
  enums: `
  HTTPIngressPath: pathType Exact|ImplementationSpecific|Prefix
  NetworkPolicyPort: protocol SCTP|TCP|UDP
  NetworkPolicySpec: policyTypes Egress|Ingress
  `,
  pointers: `
  HTTPIngressPath: pathType
  IngressClassParametersReference: apiGroup, namespace, scope
  IngressPortStatus: error
  IngressSpec: ingressClassName
  NetworkPolicyPort: endPort, port, protocol
  `,
};
