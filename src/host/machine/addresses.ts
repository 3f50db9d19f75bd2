/** By which address other machines reach this one. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

export interface InterfaceAddress {
  interface: string;
  address: string;
  family: "IPv4" | "IPv6";
}

/** Those that others may know of: no loopback, no link-local. */
function machineAddresses(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ address, family, internal }) =>
      internal || isLinkLocal(address) ? [] : [{ interface: name, address, family }],
    ),
  );
}

/** The interfaces of default routes, the one that the kernel prefers first. */
export function defaultRoutes(ipv4 = read("/proc/net/route"), ipv6 = read("/proc/net/ipv6_route")): string[] {
  const routes: { name: string; metric: number }[] = [];
  for (const line of ipv4.split("\n").slice(1)) {
    const [name = "", destination, , , , , metric = "0", mask] = line.split(/\s+/);
    if (destination === "00000000" && mask === "00000000") routes.push({ name, metric: Number(metric) });
  }
  for (const line of ipv6.split("\n")) {
    const [destination = "", length, , , , metric = "0", , , , name = ""] = line.trim().split(/\s+/);
    if (/^0{32}$/.test(destination) && length === "00" && name !== "lo" && metric !== "ffffffff") {
      routes.push({ name, metric: Number.parseInt(metric, 16) });
    }
  }
  routes.sort((a, b) => a.metric - b.metric);
  return [...new Set(routes.map(({ name }) => name))];
}

/** Links that programs make for containers and virtual machines, this one's too: nobody else reaches their addresses. */
const INNER = /^(?:kybern|veth|docker|br-|cni|cbr|flannel|cali|cilium|lxc|kube-|virbr|vnet|podman)/;

/**
 * The node's addresses where none was chosen: the first of the interface of the default route, IPv4 before IPv6; where
 * there is no default route, the first of a link that leads out.
 */
export function nodeAddresses(
  addresses: readonly InterfaceAddress[] = machineAddresses(),
  routes: readonly string[] = defaultRoutes(),
): string[] {
  const ofFamily = (family: string): string | undefined => {
    for (const name of routes) {
      const found = addresses.find((each) => each.interface === name && each.family === family);
      if (found) return found.address;
    }
    return undefined;
  };
  const outer = addresses.filter((each) => !INNER.test(each.interface));
  const first = outer.find(({ family }) => family === "IPv4") ?? outer[0];
  const found = ofFamily("IPv4") ?? ofFamily("IPv6") ?? first?.address;
  return found === undefined ? [] : [found];
}

/**
 * Tells the node's addresses as they are whenever it is asked. A machine whose plug was pulled has none, and is thought
 * of by those that it had: it will most likely have them again.
 */
export function followedAddresses(
  chosen: string | undefined,
  read: () => string[] = nodeAddresses,
): () => string[] {
  if (chosen !== undefined) return () => [chosen];
  let last: string[] = [];
  return () => {
    const now = read();
    if (now.length > 0) last = now;
    return last;
  };
}

function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
