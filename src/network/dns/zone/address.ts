/** Addresses as DNS has them: in records, and in names that ask for the name of an address. */
import { bytesOf, formatIP, parseIP } from "../../../machinery/names/ip-address.ts";

/** 4 or 16 bytes; undefined for what is no address. */
export function addressBytes(text: string): Uint8Array | undefined {
  const ip = parseIP(text);
  return ip && bytesOf(ip);
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
