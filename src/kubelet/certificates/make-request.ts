/** Certification requests (PKCS #10) for the certificates of kubelets, signed by the keys that they ask for. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { alternativeNamesValue, extension } from "../../base/x509/build-certificate.ts";
import { OID } from "../../base/x509/certificate.ts";
import {
  bitString,
  context,
  integer,
  objectIdentifier,
  sequence,
  set,
  utf8String,
} from "../../base/x509/der.ts";
import { pemOf } from "../../base/x509/pem.ts";
import { parseIP } from "../../machinery/names/ip-address.ts";

export interface RequestedNames {
  commonName: string;
  organizations: readonly string[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
}

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** P-256, as upstream. */
export function makeKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

export function keyText(key: KeyObject): string {
  return key.export({ format: "pem", type: "sec1" }).toString();
}

/** PEM. `key` is one of elliptic curves. */
export function makeRequest(key: KeyObject, names: RequestedNames): string {
  const { commonName, organizations, dnsNames = [], ipAddresses = [] } = names;
  const attribute = (type: string, text: string): Uint8Array =>
    set(sequence(objectIdentifier(type), utf8String(text)));
  const alternative = alternativeNamesValue({ dnsNames, ipAddresses: ipAddresses.map(addressBytes) });
  const wanted = alternative ? [extension(OID.subjectAltName, false, alternative)] : [];
  const info = sequence(
    integer(Uint8Array.of(0)),
    sequence(
      ...organizations.map((organization) => attribute(OID.organization, organization)),
      attribute(OID.commonName, commonName),
    ),
    createPublicKey(key).export({ format: "der", type: "spki" }),
    context(
      0,
      ...(wanted.length > 0 ? [sequence(objectIdentifier(EXTENSION_REQUEST), set(sequence(...wanted)))] : []),
    ),
  );
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSHA256));
  return pemOf("CERTIFICATE REQUEST", sequence(info, algorithm, bitString(sign("sha256", info, key))));
}

/** 4 or 16 bytes. Throws where the text is no address. */
export function addressBytes(text: string): Uint8Array {
  const address = parseIP(text);
  if (!address) throw new TypeError(`${text} is no IP address`);
  const bytes = new Uint8Array(address.family === 4 ? 4 : 16);
  let { value } = address;
  for (let at = bytes.length - 1; at >= 0; at--, value >>= 8n) bytes[at] = Number(value & 255n);
  return bytes;
}
