/** Reads certification requests (PKCS #10, RFC 2986). */
import { OID, readName } from "./certificate.ts";
import { type DerElement, DerError, readElement, readElements, readObjectIdentifier, TAG } from "./der.ts";

export interface CertificateRequest {
  /** Attributes of the subject in their order. */
  subject: { type: string; text: string | undefined }[];
  subjectRaw: Uint8Array;
  /** SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
  /** What the key it asks for signed, and how. */
  signed: Uint8Array;
  signatureAlgorithm: string;
  signature: Uint8Array;
  dnsNames: string[];
  emails: string[];
  uris: string[];
  ipAddresses: Uint8Array[];
}

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const ATTRIBUTES = 0xa0;

/** Throws DerError where `der` is not a request. The signature is not checked here. */
export function readCertificateRequest(der: Uint8Array): CertificateRequest {
  const [info, algorithm, signature, ...more] = partsOf(readElement(der), der.length);
  if (info?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence || signature?.tag !== TAG.bitString) {
    throw new DerError("not a certificate request");
  }
  const [version, subject, publicKey, attributes] = readElements(info.content);
  const [algorithmID] = readElements(algorithm.content);
  if (more.length > 0 || version?.tag !== TAG.integer || subject?.tag !== TAG.sequence || !algorithmID) {
    throw new DerError("not a certificate request");
  }
  if (publicKey?.tag !== TAG.sequence || signature.content[0] !== 0) {
    throw new DerError("not a certificate request");
  }
  const request: CertificateRequest = {
    subject: readName(subject),
    subjectRaw: subject.raw,
    publicKey: publicKey.raw,
    signed: info.raw,
    signatureAlgorithm: readObjectIdentifier(algorithmID.content),
    signature: signature.content.subarray(1),
    dnsNames: [],
    emails: [],
    uris: [],
    ipAddresses: [],
  };
  if (attributes?.tag === ATTRIBUTES) readAttributes(attributes, request);
  return request;
}

function partsOf(outer: DerElement, length: number): DerElement[] {
  if (outer.tag !== TAG.sequence || outer.raw.length !== length)
    throw new DerError("not a certificate request");
  return readElements(outer.content);
}

function readAttributes(attributes: DerElement, into: CertificateRequest): void {
  for (const attribute of readElements(attributes.content)) {
    const [type, values] = readElements(attribute.content);
    if (!type || !values) throw new DerError("bad attribute of a request");
    if (readObjectIdentifier(type.content) !== EXTENSION_REQUEST) continue;
    for (const extension of readElements(readElement(values.content).content)) readExtension(extension, into);
  }
}

function readExtension(extension: DerElement, into: CertificateRequest): void {
  const parts = readElements(extension.content);
  const id = parts[0];
  const value = parts.at(-1);
  if (!id || value?.tag !== TAG.octetString) throw new DerError("bad extension");
  if (readObjectIdentifier(id.content) !== OID.subjectAltName) return;
  for (const { tag, content } of readElements(readElement(value.content).content)) {
    if (tag === 0x82) into.dnsNames.push(ascii(content));
    else if (tag === 0x81) into.emails.push(ascii(content));
    else if (tag === 0x86) into.uris.push(ascii(content));
    else if (tag === 0x87) {
      if (content.length !== 4 && content.length !== 16) throw new DerError("bad address of a request");
      into.ipAddresses.push(content);
    }
  }
}

function ascii(content: Uint8Array): string {
  let text = "";
  for (const byte of content) {
    if (byte > 0x7f) throw new DerError("name of a request is not ASCII");
    text += String.fromCharCode(byte);
  }
  return text;
}
