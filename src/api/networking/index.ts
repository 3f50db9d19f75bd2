import { Ingress } from "./ingress.ts";
import { IngressClass } from "./ingress-class.ts";
import { IPAddress } from "./ip-address.ts";
import { NetworkPolicy } from "./network-policy.ts";
import { ServiceCIDR } from "./service-cidr.ts";

export { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR };
export const resources = [IngressClass, Ingress, IPAddress, NetworkPolicy, ServiceCIDR];
