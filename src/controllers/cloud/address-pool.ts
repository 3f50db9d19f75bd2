/** Addresses that are given out once: networks (`192.168.1.0/28`) and ranges (`192.168.1.240-192.168.1.250`). */
import { bitsOf, formatIP, parseCIDR, parseIP } from "../../machinery/names/ip-address.ts";

export type Family = 4 | 6;

interface Range {
  family: Family;
  first: bigint;
  last: bigint;
}

export class AddressPool {
  private readonly ranges: readonly Range[];
  private readonly holders = new Map<string, string>();
  private readonly next: Record<Family, { range: number; value: bigint } | undefined> = {
    4: undefined,
    6: undefined,
  };

  /** Throws where a text is no range. */
  constructor(ranges: readonly string[]) {
    this.ranges = ranges.map(readRange);
  }

  has(family: Family): boolean {
    return this.ranges.some((range) => range.family === family);
  }

  contains(address: string): boolean {
    const ip = parseIP(address);
    return (
      ip !== undefined &&
      this.ranges.some(
        ({ family, first, last }) => family === ip.family && first <= ip.value && ip.value <= last,
      )
    );
  }

  holderOf(address: string): string | undefined {
    return this.holders.get(canonical(address));
  }

  /** Whether the address is the holder's now: it is of the pool, and nobody else's. */
  hold(address: string, holder: string): boolean {
    if (!this.contains(address)) return false;
    const text = canonical(address);
    const by = this.holders.get(text);
    if (by !== undefined) return by === holder;
    this.holders.set(text, holder);
    return true;
  }

  /** An address that nobody holds, by turns; undefined where there is none. */
  take(family: Family, holder: string): string | undefined {
    // Of one more address than are held at least one is free.
    let place = this.next[family] ?? this.after(family, undefined);
    for (let tries = this.holders.size + 1; tries > 0 && place; tries--) {
      const address = formatIP({ family, value: place.value });
      place = this.after(family, place);
      if (this.holders.has(address)) continue;
      this.next[family] = place;
      this.holders.set(address, holder);
      return address;
    }
    return undefined;
  }

  release(address: string): void {
    this.holders.delete(canonical(address));
  }

  private after(family: Family, place: { range: number; value: bigint } | undefined) {
    if (place && place.value < this.ranges[place.range]!.last) {
      return { range: place.range, value: place.value + 1n };
    }
    const count = this.ranges.length;
    const from = place ? place.range + 1 : 0;
    for (let i = 0; i < count; i++) {
      const range = (from + i) % count;
      if (this.ranges[range]!.family === family) return { range, value: this.ranges[range]!.first };
    }
    return undefined;
  }
}

function canonical(address: string): string {
  const ip = parseIP(address);
  return ip ? formatIP(ip) : address;
}

function readRange(text: string): Range {
  const [from = "", to = ""] = text.split("-").map((part) => part.trim());
  const [a, b] = [parseIP(from), parseIP(to)];
  if (a && b && a.family === b.family && a.value <= b.value) {
    return { family: a.family, first: a.value, last: b.value };
  }
  const cidr = parseCIDR(text);
  if (!cidr || cidr.address.mapped) throw new Error(`${JSON.stringify(text)} is not a range of addresses`);
  const { address, length } = cidr;
  const bits = BigInt(bitsOf(address.family) - length);
  const first = (address.value >> bits) << bits;
  const last = first + (1n << bits) - 1n;
  // The network's own address is no host's, nor is the broadcast address of IPv4.
  if (bits < 2n) return { family: address.family, first, last };
  return { family: address.family, first: first + 1n, last: address.family === 4 ? last - 1n : last };
}
