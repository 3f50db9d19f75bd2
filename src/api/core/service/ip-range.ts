/** The addresses of one service CIDR, counted from 0: the network and, for IPv4, the broadcast address are left out. */
import {
  bitsOf,
  contains,
  formatIP,
  type IPAddress,
  parseCIDR,
  parseIP,
} from "../../../machinery/names/ip-address.ts";

/** Larger ranges are cut: nobody runs that many services, and an index must stay a number. */
const MAX_SIZE = 2n ** 32n;

export interface IPRange {
  readonly cidr: string;
  readonly family: "IPv4" | "IPv6";
  /** How many addresses there are to give out. */
  readonly size: number;
  /** The first so many are not given out on their own while there are others: they are for who asks by address. */
  readonly staticBand: number;
  addressAt(index: number): string;
  contains(ip: string): boolean;
}

export function ipRange(cidr: string): IPRange {
  const parsed = parseCIDR(cidr);
  if (!parsed) throw new Error(`${cidr} is not a CIDR`);
  const { address, length } = parsed;
  const family = address.family;
  const hosts = 1n << BigInt(bitsOf(family) - length);
  const base = (address.value / hosts) * hosts;
  const usable = hosts - (family === 4 ? 2n : 1n);
  const size = Number(usable > MAX_SIZE ? MAX_SIZE : usable > 0n ? usable : 0n);
  const at = (offset: bigint) => formatIP({ family, value: base + offset });
  return {
    cidr,
    family: family === 4 ? "IPv4" : "IPv6",
    size,
    staticBand: bandOf(size, 16, 256, 16),
    addressAt: (index) => at(BigInt(index) + 1n),
    contains(text) {
      const ip: IPAddress | undefined = parseIP(text);
      if (!ip || ip.family !== family || !contains(parsed, ip)) return false;
      const offset = ip.value - base;
      return offset >= 1n && offset <= usable;
    },
  };
}

/** The reserved lower band of a range (KEP-3070): a part in `step` of it, within limits; none where it is small. */
export function bandOf(size: number, min: number, max: number, step: number): number {
  if (size < min) return 0;
  return Math.min(Math.max(Math.trunc(size / step), min), max);
}
