/** Addresses and ranges as the kernel's sets want them: canonical, each once, none within another. */
import {
  type CIDR,
  contains,
  formatCIDR,
  formatIP,
  parseCIDR,
  parseIP,
} from "../machinery/names/ip-address.ts";

export type Family = 4 | 6;

export const FAMILIES: readonly Family[] = [4, 6];

/** Of a canonical address or range. */
export const familyOf = (address: string): Family => (address.includes(":") ? 6 : 4);

/** Undefined where the text is no address. Fields of old objects hold texts that are not canonical. */
export function canonicalIP(text: string | undefined): string | undefined {
  const ip = parseIP(text);
  return ip && formatIP(ip);
}

/** The fewest ranges that hold what `texts` (ranges, or single addresses) hold; what is neither is left out. */
export function disjointCIDRs(texts: readonly string[]): string[] {
  const networks = new Map<string, CIDR>();
  for (const text of texts) {
    const trimmed = text.trim();
    const ip = trimmed.includes("/") ? undefined : parseIP(trimmed);
    const given = parseCIDR(ip ? `${formatIP(ip)}/${ip.family === 4 ? 32 : 128}` : trimmed);
    if (!given) continue;
    const canonical = formatCIDR(given);
    networks.set(canonical, parseCIDR(canonical)!);
  }
  const all = [...networks].sort(([, a], [, b]) => a.length - b.length);
  const kept: [string, CIDR][] = [];
  for (const [text, cidr] of all) {
    if (!kept.some(([, wider]) => contains(wider, cidr.address))) kept.push([text, cidr]);
  }
  return kept.map(([text]) => text).sort();
}

export function cidrsByFamily(texts: readonly string[]): Readonly<Record<Family, readonly string[]>> {
  const cidrs = disjointCIDRs(texts);
  return {
    4: cidrs.filter((cidr) => familyOf(cidr) === 4),
    6: cidrs.filter((cidr) => familyOf(cidr) === 6),
  };
}
