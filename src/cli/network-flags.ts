/** What flags say of networks, checked where somebody reads it: a program in the background only ends of it. */
import { contains, formatIP, parseCIDR, parseIP } from "../machinery/names/ip-address.ts";
import { UsageError } from "./verb.ts";

type CIDR = NonNullable<ReturnType<typeof parseCIDR>>;

export function checkAddress(text: string, flag: string): void {
  if (!parseIP(text)) throw new UsageError(`${flag} must be an IP address, not ${JSON.stringify(text)}.`);
}

/** Networks, or the first and the last address with a dash. */
export function checkRanges(texts: readonly string[], flag: string): void {
  for (const text of texts) {
    const [from, to] = text.split("-").map((part) => parseIP(part.trim()));
    if (from && to && from.family === to.family && from.value <= to.value) continue;
    if (parseCIDR(text)) continue;
    throw new UsageError(
      `${flag} must be networks as 192.0.2.240/28 or ranges as 192.0.2.240-192.0.2.250, by commas, not ${JSON.stringify(text)}.`,
    );
  }
}

/** Throws UsageError where one is none. */
function checkNetworks(texts: readonly string[], flag: string): CIDR[] {
  return texts.map((text) => {
    const cidr = parseCIDR(text);
    if (cidr) return cidr;
    throw new UsageError(`${flag} must be networks as 10.1.0.0/16, by commas, not ${JSON.stringify(text)}.`);
  });
}

/** Of pods or of Services: one, or one of each family, of no more than `longest` bits each. */
export function checkFamilies(
  texts: readonly string[],
  flag: string,
  longest: Readonly<Record<4 | 6, number>>,
): CIDR[] {
  const cidrs = checkNetworks(texts, flag);
  const families = new Set(cidrs.map(({ address }) => address.family));
  if (cidrs.length === 0 || cidrs.length > families.size)
    throw new UsageError(`${flag} must be one network, or one of IPv4 and one of IPv6 by a comma.`);
  for (const [i, { address, length }] of cidrs.entries()) {
    if (length <= longest[address.family]) continue;
    const most = `/${longest[address.family]}`;
    throw new UsageError(`${flag} must be larger than ${texts[i]}: ${most} at least.`);
  }
  return cidrs;
}

export function checkApart(
  [one, oneFlag]: readonly [readonly CIDR[], string],
  [other, otherFlag]: readonly [readonly CIDR[], string],
): void {
  for (const a of one) {
    for (const b of other) {
      if (!contains(a, b.address) && !contains(b, a.address)) continue;
      const [first, second] = [textOf(a), textOf(b)];
      throw new UsageError(`${oneFlag} (${first}) and ${otherFlag} (${second}) must not overlap.`);
    }
  }
}

function textOf({ address, length }: CIDR): string {
  return `${formatIP(address)}/${length}`;
}
