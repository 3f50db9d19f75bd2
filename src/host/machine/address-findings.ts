import { BlockList, isIPv6 } from "node:net";
import type { Finding } from "./findings.ts";

/** No error: a machine that starts may get its address later, and the node is tried again until then. */
const UNREACHABLE: Finding = {
  level: "warning",
  what: "this machine has no network address but that of its loopback, and a node needs one",
  fix: "connect it to a network; the node starts as soon as it has an address",
};

/** Addresses of the machine that the cluster would take for pods or Services; `ranges` by the flags that say them. */
export function addressFindings(
  addresses: readonly string[],
  ranges: Readonly<Record<string, readonly string[]>>,
): Finding[] {
  if (addresses.length === 0) return [UNREACHABLE];
  return addresses.flatMap((address) =>
    Object.entries(ranges).flatMap(([flag, cidrs]): Finding[] => {
      const taken = cidrs.find((cidr) => contains(cidr, address));
      if (taken === undefined) return [];
      const what = `the machine's own address ${address} lies in ${taken}, which is for the cluster (--${flag})`;
      return [{ level: "error", what, fix: `choose another range with --${flag}` }];
    }),
  );
}

function contains(cidr: string, address: string): boolean {
  const [network = "", bits = ""] = cidr.split("/");
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  if (isIPv6(address) !== (family === "ipv6")) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(address, family);
}
