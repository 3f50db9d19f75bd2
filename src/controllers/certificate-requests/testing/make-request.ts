/** Certificate requests for tests, as a kubelet or a user would make them. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { certificateRequest } from "../../../base/x509/build-certificate-request.ts";

export interface RequestParts {
  commonName: string;
  organizations?: readonly string[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly Uint8Array[];
  /** Signs in place of the key that is asked for, as a forger would. */
  forger?: KeyObject;
}

/** As spec.request holds it: base64 of PEM. */
export function makeRequest(parts: RequestParts): { request: string; key: KeyObject } {
  const { commonName, organizations = [], dnsNames = [], ipAddresses = [], forger } = parts;
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = pair.publicKey.export({ format: "der", type: "spki" });
  const pem = certificateRequest(
    { commonName, organizations, dnsNames, ipAddresses, publicKey },
    (information) => sign("sha256", information, forger ?? pair.privateKey),
  );
  return { request: Buffer.from(pem).toString("base64"), key: pair.privateKey };
}
