/** Where requests of users may be sent on to. */
import { isIP } from "node:net";
import { badRequest } from "../../machinery/status/status-error.ts";

/** Every address of a name, the first to be preferred. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/**
 * Whether a proxy may connect there: not to this machine itself, nor to what only the link knows (a cloud's metadata
 * service), nor to many at once. As Go's IsGlobalUnicast, private ranges may be reached: pods are there.
 */
export function isProxyable(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  if (family === 4) return isProxyableIPv4(address);
  const [first, mapped] = readIPv6(address);
  if (mapped !== undefined) return isProxyableIPv4(mapped);
  return first !== undefined && (first & 0xffc0) !== 0xfe80 && (first & 0xff00) !== 0xff00;
}

function isProxyableIPv4(address: string): boolean {
  const [a = 0, b = 0] = address.split(".").map(Number);
  // 0.0.0.0 is this machine too, and 224/3 are groups, reserved addresses and broadcasts.
  return a !== 0 && a !== 127 && a < 224 && !(a === 169 && b === 254);
}

/** The first group, undefined where the address is :: or ::1; and the IPv4 address that it maps, where it does. */
function readIPv6(address: string): [first: number | undefined, mapped: string | undefined] {
  // The URL parser writes addresses in their one canonical form.
  const canonical = new URL(`http://[${address.split("%")[0]}]`).hostname.slice(1, -1);
  if (canonical === "::" || canonical === "::1") return [undefined, undefined];
  const mapped = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped) {
    const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
    return [0, [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".")];
  }
  return [Number.parseInt(canonical.split(":")[0] || "0", 16), undefined];
}

export function checkProxyable(address: string): void {
  if (!isProxyable(address)) throw badRequest("address not allowed");
}

/**
 * The address to connect to, looked up once: what was checked is what is used, though a later answer may differ. Every
 * address of the name must be one that may be reached.
 */
export async function proxyableAddress(hostname: string, lookup: Lookup): Promise<string> {
  const addresses = isIP(hostname) !== 0 ? [hostname] : await lookup(hostname).catch(() => []);
  const [first] = addresses;
  if (first === undefined) throw badRequest("no addresses for hostname");
  for (const address of addresses) checkProxyable(address);
  return first;
}
