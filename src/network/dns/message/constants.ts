/** Numbers of the DNS protocol: RFC 1035, 2782, 3596, 6891. */

export const TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
} as const;

/** Questions about the message or the zone as a whole. */
export const IXFR = 251;
export const AXFR = 252;
export const ANY = 255;

export const CLASS_IN = 1;
const CLASS_ANY = 255;
export const isInternet = (class_: number): boolean => class_ === CLASS_IN || class_ === CLASS_ANY;

export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** Its upper bits travel in the OPT record. */
  BADVERS: 16,
} as const;

export const HEADER_SIZE = 12;
/** In the two bytes behind the identifier. */
export const FLAGS = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;
/** In the TTL of the OPT record. */
export const EDNS_DO = 0x8000;
/** What we take by UDP, and send at most: what passes everywhere without fragments (DNS flag day 2020). */
export const UDP_SIZE = 1232;
/** What everyone takes by UDP. */
export const LEAST_UDP_SIZE = 512;
export const LARGEST_MESSAGE = 65535;
