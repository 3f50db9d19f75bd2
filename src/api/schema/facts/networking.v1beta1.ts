import type { Facts } from "../facts.ts";

export const networkingV1beta1: Facts = {
  id: "networking.v1beta1",
  group: "networking.k8s.io",
  messages: `
  HTTPIngressPath = networking.v1
  HTTPIngressRuleValue = networking.v1
  IPAddress@ = networking.v1
  IPAddressList@ = networking.v1
  IPAddressSpec = networking.v1
  Ingress@ = networking.v1
  IngressBackend: 1 serviceName string, 2 servicePort IntOrString,
    3 resource core.v1.TypedLocalObjectReference
  IngressClass@ = networking.v1
  IngressClassList@ = networking.v1
  IngressClassParametersReference = networking.v1
  IngressClassSpec = networking.v1
  IngressList@ = networking.v1
  IngressLoadBalancerIngress = networking.v1
  IngressLoadBalancerStatus = networking.v1
  IngressPortStatus = networking.v1
  IngressRule = networking.v1
  IngressSpec: 1 backend IngressBackend, 2 tls [IngressTLS], 3 rules [IngressRule],
    4 ingressClassName string
  IngressStatus = networking.v1
  IngressTLS = networking.v1
  ParentReference = networking.v1
  ServiceCIDR@ = networking.v1
  ServiceCIDRList@ = networking.v1
  ServiceCIDRSpec = networking.v1
  ServiceCIDRStatus = networking.v1
  `,
};
