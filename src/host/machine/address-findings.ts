import { BlockList, isIPv6 } from "node:net";
import type { Finding } from "./findings.ts";

/** No error: a machine that starts may get its address later, and the node is tried again until then. */
const UNREACHABLE: Finding = {
  level: "warning",
  what: "this machine has no network address but that of its loopback, and a node needs one",
  fix: "connect it to a network; the node starts as soon as it has an address",
};

/** Networks that a cluster may have in a family, by the flags that say them. */
const EXAMPLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  IPv4: { "cluster-cidr": "10.244.0.0/16", "service-cluster-ip-range": "10.96.0.0/12" },
  IPv6: { "cluster-cidr": "fd00:10:244::/56", "service-cluster-ip-range": "fd00:10:96::/112" },
};

/**
 * Addresses of the machine that the cluster would take for pods or Services, or of a family that those have no network
 * of: the API server is a Service too. `ranges` by the flags that say them.
 */
export function addressFindings(
  addresses: readonly string[],
  ranges: Readonly<Record<string, readonly string[]>>,
): Finding[] {
  if (addresses.length === 0) return [UNREACHABLE];
  const [first = ""] = addresses;
  const family = isIPv6(first) ? "IPv6" : "IPv4";
  const lacking = Object.entries(ranges).filter(
    ([, cidrs]) => !cidrs.some((cidr) => isIPv6(cidr.split("/")[0]!) === isIPv6(first)),
  );
  if (lacking.length > 0) {
    const what = `this machine's address ${first} is of ${family}, and ${lacking.map(([flag, cidrs]) => `--${flag} ${cidrs.join()}`).join(" and ")} ${lacking.length > 1 ? "are" : "is"} not`;
    const example = lacking.map(([flag]) => `--${flag} ${EXAMPLES[family]![flag]}`).join(" ");
    return [{ level: "error", what, fix: `give networks of its family, as ${example}` }];
  }
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
