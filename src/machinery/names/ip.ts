/**
 * Validation of IP addresses and CIDRs in fields. Since 1.36 (StrictIPCIDRValidation) fields that predate strict
 * parsing refuse leading zeros and mapped addresses too, but take texts that are not canonical and any text they held
 * before; newer fields take the canonical form only.
 */

import { isValidPortNum } from "./dns.ts";
import { formatCIDR, formatIP, hasHostBits, parseCIDR, parseIP } from "./ip-address.ts";
import { NONE } from "./texts.ts";

const IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** A field from before strict parsing; `old` are values it already held, which stay valid. */
export function isValidIPForLegacyField(value: string, old: readonly string[] = []): string[] {
  if (old.includes(value)) return NONE;
  const ip = parseIP(value);
  if (!ip) return [IP_TEXT];
  if (ip.leadingZero) return ["must not have leading 0s"];
  return ip.mapped ? ["must not be an IPv4-mapped IPv6 address"] : NONE;
}

/** A field of a newer kind: the canonical form only. */
export function isValidIP(value: string): string[] {
  const wrong = isValidIPForLegacyField(value);
  if (wrong.length > 0) return wrong;
  const canonical = formatIP(parseIP(value)!);
  return canonical === value ? NONE : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

export function isValidIPv4Address(value: string): string[] {
  return parseIP(value)?.family === 4 ? NONE : ["must be a valid IPv4 address"];
}

export function isValidIPv6Address(value: string): string[] {
  return parseIP(value)?.family === 6 ? NONE : ["must be a valid IPv6 address"];
}

export function isValidCIDRForLegacyField(value: string, old: readonly string[] = []): string[] {
  if (old.includes(value)) return NONE;
  const cidr = parseCIDR(value);
  if (!cidr) return [CIDR_TEXT];
  const wrong: string[] = [];
  if (cidr.leadingZero || cidr.address.leadingZero)
    wrong.push("must not have leading 0s in IP or prefix length");
  else if (cidr.address.mapped) wrong.push("must not have an IPv4-mapped IPv6 address");
  if (hasHostBits(cidr)) wrong.push("must not have bits set beyond the prefix length");
  return wrong;
}

export function isValidCIDR(value: string): string[] {
  const wrong = isValidCIDRForLegacyField(value);
  if (wrong.length > 0) return wrong;
  const canonical = formatCIDR(parseCIDR(value)!);
  return canonical === value ? NONE : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** `192.168.1.5/24`: an address with the length of its subnet, canonical. */
export function isValidInterfaceAddress(value: string): string[] {
  const cidr = parseCIDR(value);
  if (!cidr) return [CIDR_TEXT];
  const length = cidr.address.mapped && cidr.length > 32 ? cidr.length - 96 : cidr.length;
  const canonical = `${formatIP(cidr.address)}/${length}`;
  return canonical === value ? NONE : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** `0.0.0.0:10254` or `[::]:10254`. */
export function isValidSocketAddr(value: string): string[] {
  const colon = value.lastIndexOf(":");
  const bracketed = value.startsWith("[");
  const host = bracketed ? value.slice(1, colon - 1) : value.slice(0, Math.max(colon, 0));
  if (colon < 0 || (bracketed ? value[colon - 1] !== "]" : host.includes(":"))) {
    return ["must be a valid socket address format, (e.g. 0.0.0.0:10254 or [::]:10254)"];
  }
  const port = value.slice(colon + 1);
  const number = isValidPortNum(port.length <= 5 && port.length > 0 ? Number(port) : 0);
  return [...number, ...isValidIPForLegacyField(host)];
}

/** What to warn of an address that is taken but not written as it should be; `path` names the field. */
export function ipWarnings(path: string, value: string): string[] {
  const ip = parseIP(value);
  if (!ip) return NONE;
  const canonical = JSON.stringify(formatIP(ip));
  if (ip.leadingZero || ip.mapped) {
    return [
      `${path}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${canonical}`,
    ];
  }
  if (ip.family === 4 || canonical === JSON.stringify(value)) return NONE;
  return [
    `${path}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${canonical})`,
  ];
}

export function cidrWarnings(path: string, value: string): string[] {
  const cidr = parseCIDR(value);
  if (!cidr) return NONE;
  const warnings: string[] = [];
  const network = JSON.stringify(formatCIDR(cidr));
  const said = JSON.stringify(value);
  if (hasHostBits(cidr)) {
    const single = JSON.stringify(
      `${formatIP(cidr.address)}/${cidr.address.family === 4 && !cidr.address.mapped ? 32 : 128}`,
    );
    warnings.push(
      `${path}: CIDR value ${said} is ambiguous in this context (should be ${network} or ${single}?)`,
    );
  }
  if (cidr.leadingZero || cidr.address.leadingZero || cidr.address.mapped) {
    warnings.push(
      `${path}: non-standard CIDR value ${said} will be considered invalid in a future Kubernetes release: use ${network}`,
    );
  }
  if (warnings.length === 0 && cidr.address.family === 6 && network !== said) {
    warnings.push(`${path}: IPv6 CIDR value ${said} should be in RFC 5952 canonical format (${network})`);
  }
  return warnings;
}
