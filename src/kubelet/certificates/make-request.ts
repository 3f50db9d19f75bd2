/** Certification requests for the certificates of kubelets, signed by the keys that they ask for. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { certificateRequest } from "../../base/x509/build-certificate-request.ts";
import { bytesOf, parseIP } from "../../machinery/names/ip-address.ts";

export interface RequestedNames {
  commonName: string;
  organizations: readonly string[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
}

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
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" });
  const addresses = ipAddresses.map(addressBytes);
  return certificateRequest(
    { commonName, organizations, dnsNames, ipAddresses: addresses, publicKey },
    (information) => sign("sha256", information, key),
  );
}

/** 4 or 16 bytes. Throws where the text is no address. */
export function addressBytes(text: string): Uint8Array {
  const address = parseIP(text);
  if (!address) throw new TypeError(`${text} is no IP address`);
  return bytesOf(address);
}
