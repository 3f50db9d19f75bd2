/** Takes records out of a message, to go into another. */
import { TYPES } from "./constants.ts";
import { encodeName, readName } from "./name.ts";
import type { DNSRecord } from "./record.ts";
import type { Response } from "./response.ts";

/** How many bytes of the data stand before a name, in records whose names may have been written with pointers. */
const BEFORE_NAME: ReadonlyMap<number, number> = new Map([
  [TYPES.NS, 0],
  [TYPES.CNAME, 0],
  [TYPES.PTR, 0],
  [TYPES.MX, 2],
  [TYPES.SRV, 6],
]);

/** The answers, but for those whose data cannot be taken out. */
export function takeAnswers({ bytes, records, counts }: Response): DNSRecord[] {
  return records.slice(0, counts[0]).flatMap(({ start, head, end, type }): DNSRecord[] => {
    const name = readName(bytes, start)?.name;
    const data = takeData(bytes, head + 10, end, type);
    if (name === undefined || !data) return [];
    const ttl = new DataView(bytes.buffer, bytes.byteOffset + head + 4).getUint32(0);
    return [{ name, type, ttl, data }];
  });
}

function takeData(bytes: Uint8Array, from: number, to: number, type: number): Uint8Array | undefined {
  // It has two names, and is no answer to follow an alias.
  if (type === TYPES.SOA) return undefined;
  const before = BEFORE_NAME.get(type);
  if (before === undefined) return bytes.slice(from, to);
  const named = readName(bytes, from + before);
  if (named?.end !== to) return undefined;
  const name = encodeName(named.name);
  if (!name) return undefined;
  const data = new Uint8Array(before + name.length);
  data.set(bytes.subarray(from, from + before));
  data.set(name, before);
  return data;
}
