/** IP addresses and CIDRs as Go's net and netip packages read and print them. */

export interface IPAddress {
  /** 4 for IPv4 and for IPv4-mapped IPv6 (`::ffff:1.2.3.4`), as Go's To4 has it. */
  family: 4 | 6;
  /** 32 or 128 bits. */
  value: bigint;
  /** The text was an IPv4-mapped IPv6 address. */
  mapped: boolean;
  /** An IPv4 octet was written with a leading zero, which strict parsers refuse. */
  leadingZero: boolean;
}

export interface CIDR {
  address: IPAddress;
  /** The length of the prefix, in bits of `address.family` (of 128 where the text was mapped). */
  length: number;
  /** `length` was written with leading zeros. */
  leadingZero: boolean;
}

const V4_BITS = 0xffffffffn;
const MAPPED = 0xffffn << 32n;

function parseV4(text: string): { value: number; leadingZero: boolean } | undefined {
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  let first = 0;
  let leadingZero = false;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 46;
    if (code === 46) {
      if (digits === 0 || dots === 4) return undefined;
      if (digits > 1 && first === 48) leadingZero = true;
      value = value * 256 + octet;
      dots++;
      octet = 0;
      digits = 0;
    } else if (code >= 48 && code <= 57) {
      if (digits === 0) first = code;
      octet = octet * 10 + (code - 48);
      digits++;
      if (octet > 255) return undefined;
    } else return undefined;
  }
  return dots === 4 ? { value, leadingZero } : undefined;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return code >= 65 && code <= 70 ? code - 55 : -1;
}

function parseGroup(text: string): number | undefined {
  if (text.length === 0 || text.length > 4) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

/** The 16-bit groups of one side of `::`; an IPv4 tail counts as two where `tail` allows it. */
function parseGroups(text: string, tail: boolean): { groups: number[]; leadingZero: boolean } | undefined {
  if (text === "") return { groups: [], leadingZero: false };
  const parts = text.split(":", 9);
  const groups: number[] = [];
  let leadingZero = false;
  for (const [i, part] of parts.entries()) {
    if (tail && i === parts.length - 1 && part.includes(".")) {
      const v4 = parseV4(part);
      if (!v4) return undefined;
      leadingZero = v4.leadingZero;
      groups.push(Math.floor(v4.value / 65536), v4.value % 65536);
      continue;
    }
    const group = parseGroup(part);
    if (group === undefined) return undefined;
    groups.push(group);
  }
  return { groups, leadingZero };
}

function parseV6(text: string): { value: bigint; leadingZero: boolean } | undefined {
  const gap = text.indexOf("::");
  let groups: number[];
  let leadingZero: boolean;
  if (gap < 0) {
    const all = parseGroups(text, true);
    if (all?.groups.length !== 8) return undefined;
    ({ groups, leadingZero } = all);
  } else {
    const head = parseGroups(text.slice(0, gap), false);
    const tail = parseGroups(text.slice(gap + 2), true);
    if (!head || !tail || head.groups.length + tail.groups.length > 7) return undefined;
    const zeros = new Array<number>(8 - head.groups.length - tail.groups.length).fill(0);
    groups = [...head.groups, ...zeros, ...tail.groups];
    leadingZero = tail.leadingZero;
  }
  let value = 0n;
  for (const group of groups) value = (value << 16n) | BigInt(group);
  return { value, leadingZero };
}

/** Leading zeros in IPv4 octets are read as decimal (ParseIPSloppy); undefined where the text is no address. */
export function parseIP(text = ""): IPAddress | undefined {
  if (text.length > 64) return undefined;
  if (!text.includes(":")) {
    const v4 = parseV4(text);
    return v4 && { family: 4, value: BigInt(v4.value), mapped: false, leadingZero: v4.leadingZero };
  }
  const v6 = parseV6(text);
  if (!v6) return undefined;
  const mapped = v6.value >> 32n === 0xffffn;
  return mapped
    ? { family: 4, value: v6.value & V4_BITS, mapped, leadingZero: v6.leadingZero }
    : { family: 6, value: v6.value, mapped, leadingZero: v6.leadingZero };
}

/** The canonical text: dotted for IPv4 (mapped ones too), RFC 5952 for IPv6. */
export function formatIP({ family, value }: Pick<IPAddress, "family" | "value">): string {
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  }
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  let start = -1;
  let run = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > run) {
      start = i;
      run = end - i;
    }
    if (end > i) i = end;
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + run))}`;
}

/** 4 or 16, the first of the address first. */
export function bytesOf({ family, value }: Pick<IPAddress, "family" | "value">): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  let rest = value;
  for (let at = bytes.length - 1; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 255n);
  return bytes;
}

export function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** `10.0.0.0/8`; undefined where the text is no CIDR. */
export function parseCIDR(text: string): CIDR | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseIP(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (!address || digits.length === 0 || digits.length > 16) return undefined;
  let length = 0;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 48 || code > 57) return undefined;
    length = length * 10 + (code - 48);
  }
  if (length > (address.mapped ? 128 : bitsOf(address.family))) return undefined;
  return { address, length, leadingZero: digits.length > 1 && digits.startsWith("0") };
}

/** The mask and the value in the width that `length` counts in. */
function wide({ address, length }: CIDR): { value: bigint; mask: bigint; bits: number } {
  const bits = address.mapped ? 128 : bitsOf(address.family);
  const all = (1n << BigInt(bits)) - 1n;
  const mask = all ^ ((1n << BigInt(bits - length)) - 1n);
  return { value: address.mapped ? MAPPED | address.value : address.value, mask, bits };
}

/** Whether bits are set behind the prefix. */
export function hasHostBits(cidr: CIDR): boolean {
  const { value, mask } = wide(cidr);
  return (value & mask) !== value;
}

/** The network itself, canonical: `10.1.2.3/8` is `10.0.0.0/8`. */
export function formatCIDR(cidr: CIDR): string {
  const { value, mask } = wide(cidr);
  const network = value & mask;
  if (!cidr.address.mapped)
    return `${formatIP({ family: cidr.address.family, value: network })}/${cidr.length}`;
  if (cidr.length >= 96) return `${formatIP({ family: 4, value: network & V4_BITS })}/${cidr.length - 96}`;
  return `${formatIP({ family: 6, value: network })}/${cidr.length}`;
}

/** Whether `ip` is in the network; families must be equal. */
export function contains(cidr: CIDR, ip: IPAddress): boolean {
  if (cidr.address.family !== ip.family) return false;
  const bits = bitsOf(ip.family);
  const length = cidr.address.mapped ? Math.max(0, cidr.length - 96) : cidr.length;
  const shift = BigInt(bits - length);
  return cidr.address.value >> shift === ip.value >> shift;
}

const inBlock = (ip: IPAddress, family: 4 | 6, network: bigint, length: number) =>
  ip.family === family && ip.value >> BigInt(bitsOf(family) - length) === network;

export const isUnspecified = (ip: IPAddress) => ip.value === 0n;
export const isLoopback = (ip: IPAddress) => inBlock(ip, 4, 127n, 8) || (ip.family === 6 && ip.value === 1n);
/** 169.254.0.0/16, fe80::/10. */
export const isLinkLocalUnicast = (ip: IPAddress) =>
  inBlock(ip, 4, 0xa9fen, 16) || inBlock(ip, 6, 0xfe80n >> 6n, 10);
/** 224.0.0.0/24, ff02::/16 (any ffx2). */
export const isLinkLocalMulticast = (ip: IPAddress) =>
  inBlock(ip, 4, 0xe00000n, 24) ||
  (ip.family === 6 && (ip.value >> 112n) % 16n === 2n && ip.value >> 120n === 0xffn);
