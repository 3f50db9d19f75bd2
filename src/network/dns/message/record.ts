/** Resource records that we make ourselves. */
import { TYPES } from "./constants.ts";
import { encodeName } from "./name.ts";

export interface DNSRecord {
  /** Of whom it tells; undefined: of the name that was asked for. */
  name?: string;
  type: number;
  ttl: number;
  data: Uint8Array;
}

/** Names in records that are looked up again, or shown: they are texts that are known to be names. */
function wire(name: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeName(name);
  if (!bytes) throw new RangeError(`${JSON.stringify(name)} is no DNS name`);
  return bytes;
}

export function nameRecord(
  type: "CNAME" | "PTR" | "NS",
  ttl: number,
  target: string,
  name?: string,
): DNSRecord {
  return { name, type: TYPES[type], ttl, data: wire(target) };
}

export function srvRecord(
  ttl: number,
  { priority, weight, port, target }: { priority: number; weight: number; port: number; target: string },
): DNSRecord {
  const end = wire(target);
  const data = new Uint8Array(6 + end.length);
  new DataView(data.buffer).setUint16(0, priority);
  new DataView(data.buffer).setUint16(2, weight);
  new DataView(data.buffer).setUint16(4, port);
  data.set(end, 6);
  return { type: TYPES.SRV, ttl, data };
}

/** One string of at most 255 characters. */
export function txtRecord(ttl: number, text: string): DNSRecord {
  const bytes = new TextEncoder().encode(text);
  const data = new Uint8Array(1 + bytes.length);
  data[0] = bytes.length;
  data.set(bytes, 1);
  return { type: TYPES.TXT, ttl, data };
}

export interface SOA {
  name: string;
  server: string;
  mailbox: string;
  serial: number;
  refresh: number;
  retry: number;
  expire: number;
  /** Seconds for which it may be kept that something is not there. */
  minimum: number;
}

export function soaRecord(ttl: number, soa: SOA): DNSRecord {
  const [server, mailbox] = [wire(soa.server), wire(soa.mailbox)];
  const data = new Uint8Array(server.length + mailbox.length + 20);
  data.set(server);
  data.set(mailbox, server.length);
  const numbers = new DataView(data.buffer, server.length + mailbox.length);
  for (const [i, number] of [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].entries()) {
    numbers.setUint32(i * 4, number);
  }
  return { name: soa.name, type: TYPES.SOA, ttl, data };
}
