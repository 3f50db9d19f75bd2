/** Reads what the project needs of an X.509 certificate (RFC 5280). It does not verify: TLS does. */

import type { DerElement } from "./der.ts";
import { DerError, readElement, readElements, readObjectIdentifier, readText, readTime, TAG } from "./der.ts";

export const OID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  anyExtendedKeyUsage: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  ecdsaWithSHA256: "1.2.840.10045.4.3.2",
  sha256WithRSAEncryption: "1.2.840.113549.1.1.11",
} as const;

export interface Certificate {
  /** Attributes of the subject in their order; `text` is undefined where the value is of no string type. */
  subject: { type: string; text: string | undefined }[];
  /** The subject as DER, to be an issuer's name. */
  subjectRaw: Uint8Array;
  issuerRaw: Uint8Array;
  notBefore: Date;
  notAfter: Date;
  /** Absent where the certificate does not limit its use. */
  extendedKeyUsages?: string[];
  dnsNames: string[];
  /** Addresses as the certificate holds them: 4 or 16 bytes. */
  ipAddresses: Uint8Array[];
  subjectKeyIdentifier?: Uint8Array;
}

/** Throws DerError where `der` is not a certificate. */
export function readCertificate(der: Uint8Array): Certificate {
  const [tbs] = readElements(readElement(der).content);
  if (tbs?.tag !== TAG.sequence) throw new DerError("not a certificate");
  const fields = readElements(tbs.content);
  // An explicit [0] is the version, which only v1 certificates lack.
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [, , issuer, validity, subject] = fields.slice(at);
  if (!issuer || !validity || !subject) throw new DerError("not a certificate");
  const [notBefore, notAfter] = readElements(validity.content);
  if (!notBefore || !notAfter) throw new DerError("certificate without validity");
  const certificate: Certificate = {
    subject: readName(subject),
    subjectRaw: subject.raw,
    issuerRaw: issuer.raw,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    dnsNames: [],
    ipAddresses: [],
  };
  const extensions = fields.find((field) => field.tag === 0xa3);
  if (extensions)
    for (const extension of readElements(readElement(extensions.content).content))
      readExtension(extension, certificate);
  return certificate;
}

export function readName(name: DerElement): Certificate["subject"] {
  const attributes: Certificate["subject"] = [];
  for (const relative of readElements(name.content)) {
    for (const attribute of readElements(relative.content)) {
      const [type, value] = readElements(attribute.content);
      if (!type || !value) throw new DerError("bad attribute of a name");
      attributes.push({ type: readObjectIdentifier(type.content), text: readText(value) });
    }
  }
  return attributes;
}

function readExtension(extension: DerElement, into: Certificate): void {
  const parts = readElements(extension.content);
  const id = parts[0];
  const value = parts.at(-1);
  if (!id || value?.tag !== TAG.octetString) throw new DerError("bad extension");
  switch (readObjectIdentifier(id.content)) {
    case OID.extendedKeyUsage:
      into.extendedKeyUsages = readElements(readElement(value.content).content).map((usage) =>
        readObjectIdentifier(usage.content),
      );
      break;
    case OID.subjectKeyIdentifier:
      into.subjectKeyIdentifier = readElement(value.content).content;
      break;
    case OID.subjectAltName:
      for (const { tag, content } of readElements(readElement(value.content).content)) {
        if (tag === 0x82) into.dnsNames.push(String.fromCharCode(...content));
        else if (tag === 0x87) into.ipAddresses.push(content);
      }
      break;
  }
}
