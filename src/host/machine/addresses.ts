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

/**
 * The node's addresses where none was chosen: the first of the interface of the default route, IPv4 before IPv6; where
 * there is no default route, the first that there is.
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
  const found = ofFamily("IPv4") ?? ofFamily("IPv6") ?? addresses[0]?.address;
  return found === undefined ? [] : [found];
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
