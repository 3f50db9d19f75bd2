/** Addresses as DNS has them: in records, and in names that ask for the name of an address. */
import { formatIP, parseIP } from "../../../machinery/names/ip-address.ts";

/** 4 or 16 bytes; undefined for what is no address. */
export function addressBytes(text: string): Uint8Array | undefined {
  const ip = parseIP(text);
  if (!ip) return undefined;
  const bytes = new Uint8Array(ip.family === 4 ? 4 : 16);
  let { value } = ip;
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = Number(value & 255n);
    value >>= 8n;
  }
  return bytes;
}

const IN_ADDR = ".in-addr.arpa";
const IP6 = ".ip6.arpa";

/** The address that a name below in-addr.arpa or ip6.arpa stands for, canonical. */
export function addressOfPointer(name: string): string | undefined {
  if (name.endsWith(IN_ADDR)) {
    const octets = name.slice(0, -IN_ADDR.length).split(".");
    const ip = octets.length === 4 ? parseIP(octets.reverse().join(".")) : undefined;
    return ip && !ip.leadingZero ? formatIP(ip) : undefined;
  }
  if (!name.endsWith(IP6)) return undefined;
  const digits = name.slice(0, -IP6.length).split(".");
  if (digits.length !== 32 || !digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return formatIP({ family: 6, value: BigInt(`0x${digits.reverse().join("")}`) });
}

/** Of `10-244-0-7` or `fd00--7`, as in names of pods. */
export function addressOfPodName(label: string): Uint8Array | undefined {
  const isV4 = /^\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}$/.test(label);
  return /^[0-9a-f-]+$/.test(label) ? addressBytes(label.replaceAll("-", isV4 ? "." : ":")) : undefined;
}
