import { ipRange } from "../../api/core/service/ip-range.ts";

/** The tenth address of each range, as kubeadm chooses it. */
export function clusterDNS(serviceCIDRs: readonly string[]): string[] {
  return serviceCIDRs.map((cidr) => ipRange(cidr).addressAt(9));
}
