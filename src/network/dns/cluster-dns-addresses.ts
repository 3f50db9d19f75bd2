import { ipRange } from "../../api/core/service/ip-range.ts";

/** As kubeadm has it: the tenth address of each service CIDR, 10.96.0.10 of 10.96.0.0/12. None of one too small for it. */
export function clusterDNSAddresses(serviceCIDRs: readonly string[]): string[] {
  return serviceCIDRs
    .map((cidr) => ipRange(cidr))
    .filter(({ size }) => size >= 10)
    .map((range) => range.addressAt(9));
}
