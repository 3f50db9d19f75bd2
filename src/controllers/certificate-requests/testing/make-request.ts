/** Certificate requests for tests, as a kubelet or a user would make them. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { alternativeNamesValue, extension } from "../../../base/x509/build-certificate.ts";
import { OID } from "../../../base/x509/certificate.ts";
import {
  bitString,
  context,
  integer,
  objectIdentifier,
  sequence,
  set,
  utf8String,
} from "../../../base/x509/der.ts";
import { pemOf } from "../../../base/x509/pem.ts";

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
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const attribute = (type: string, text: string) => set(sequence(objectIdentifier(type), utf8String(text)));
  const names = alternativeNamesValue({ dnsNames, ipAddresses });
  const extensions = names ? [extension(OID.subjectAltName, false, names)] : [];
  const info = sequence(
    integer(Uint8Array.of(0)),
    sequence(
      ...organizations.map((organization) => attribute(OID.organization, organization)),
      attribute(OID.commonName, commonName),
    ),
    publicKey.export({ format: "der", type: "spki" }),
    context(0, sequence(objectIdentifier("1.2.840.113549.1.9.14"), set(sequence(...extensions)))),
  );
  const signature = sign("sha256", info, forger ?? privateKey);
  const der = sequence(info, sequence(objectIdentifier(OID.ecdsaWithSHA256)), bitString(signature));
  const request = Buffer.from(pemOf("CERTIFICATE REQUEST", der)).toString("base64");
  return { request, key: privateKey };
}
