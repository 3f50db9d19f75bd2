/**
 * Makes certificates and keys. The DER is written here because the signing itself is all that node:crypto lacks, and
 * the libraries that do it take longer to load than the whole PKI takes to make.
 */

import type { KeyObject } from "node:crypto";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from "node:crypto";
import {
  alternativeNamesValue,
  authorityKeyValue,
  extension,
  keyUsageValue,
  signedCertificate,
  toBeSigned,
} from "../../base/x509/build-certificate.ts";
import { OID, readCertificate } from "../../base/x509/certificate.ts";
import {
  boolean,
  objectIdentifier,
  octetString,
  readElement,
  readElements,
  sequence,
  set,
  TAG,
  tlv,
  utf8String,
} from "../../base/x509/der.ts";
import { pemOf } from "../../base/x509/pem.ts";
import { bytesOf, parseIP } from "../../machinery/names/ip-address.ts";

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface Subject {
  commonName: string;
  organizations?: readonly string[];
}

export type Usage = "authority" | "server" | "client";

interface Request {
  subject: Subject;
  usage: Usage;
  notBefore: Date;
  notAfter: Date;
  dnsNames?: readonly string[];
  addresses?: readonly string[];
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * A clock that is behind must still take a certificate that was made just now: that of another machine, or this one's,
 * which may have been wrong by hours (its time zone) until somebody set it.
 */
const SKEW = 2 * DAY;

export const AUTHORITY_DAYS = 3650;
export const LEAF_DAYS = 365;

export function makePrivateKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

export function keyToPEM(key: KeyObject): string {
  const exported =
    key.type === "private"
      ? key.export({ format: "pem", type: "pkcs8" })
      : key.export({ format: "pem", type: "spki" });
  return exported.toString();
}

export function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - SKEW), notAfter: new Date(now.getTime() + days * DAY) };
}

/** A self-signed certificate authority. */
export function makeAuthority(commonName: string, now: Date): KeyPair {
  const key = makePrivateKey();
  const request: Request = {
    subject: { commonName },
    usage: "authority",
    ...validity(now, AUTHORITY_DAYS),
    dnsNames: [commonName],
  };
  const publicKey = publicKeyDER(key);
  const name = nameDER(request.subject);
  const identifier = keyIdentifier(publicKey);
  return {
    certificate: assemble(request, publicKey, { key, name, identifier }),
    key: keyToPEM(key),
  };
}

/** A certificate of `authority` over a new key. */
export function issueCertificate(authority: KeyPair, request: Request): KeyPair {
  const key = makePrivateKey();
  const signer = createPrivateKey(authority.key);
  const issuer = readCertificate(derOf(authority.certificate));
  const identifier = issuer.subjectKeyIdentifier ?? keyIdentifier(publicKeyDER(signer));
  const limited = { ...request, notAfter: earlier(request.notAfter, issuer.notAfter) };
  return {
    certificate: assemble(limited, publicKeyDER(key), { key: signer, name: issuer.subjectRaw, identifier }),
    key: keyToPEM(key),
  };
}

/** The DER of the first certificate of a PEM text. */
export function derOf(pem: string): Uint8Array {
  const found = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/.exec(pem);
  if (!found?.[1]) throw new Error("no certificate in PEM");
  return Buffer.from(found[1], "base64");
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function publicKeyDER(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: "der", type: "spki" });
}

/** RFC 5280 section 4.2.1.2, method 1. */
function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  const [, bits] = readElements(readElement(publicKey).content);
  return createHash("sha1").update(bits!.content.subarray(1)).digest();
}

function nameDER({ commonName, organizations = [] }: Subject): Uint8Array {
  const attribute = (type: string, text: string) => sequence(objectIdentifier(type), utf8String(text));
  return sequence(
    ...organizations.map((organization) => set(attribute(OID.organization, organization))),
    set(attribute(OID.commonName, commonName)),
  );
}

interface Signer {
  key: KeyObject;
  name: Uint8Array;
  identifier: Uint8Array;
}

function assemble(request: Request, publicKey: Uint8Array, signer: Signer): string {
  const ec = signer.key.asymmetricKeyType === "ec";
  if (!ec && signer.key.asymmetricKeyType !== "rsa")
    throw new Error("the authority's key is neither EC nor RSA");
  const algorithm = ec
    ? sequence(objectIdentifier(OID.ecdsaWithSHA256))
    : sequence(objectIdentifier(OID.sha256WithRSAEncryption), tlv(TAG.null));
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const signed = toBeSigned({
    serial,
    algorithm,
    issuer: signer.name,
    subject: nameDER(request.subject),
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    publicKey,
    extensions: extensions(request, publicKey, signer),
  });
  return pemOf("CERTIFICATE", signedCertificate(signed, algorithm, sign("sha256", signed, signer.key)));
}

function extensions(request: Request, publicKey: Uint8Array, signer: Signer): Uint8Array[] {
  const { usage, dnsNames = [], addresses = [] } = request;
  const isAuthority = usage === "authority";
  // digitalSignature; an authority signs certificates as well.
  const list = [
    extension(OID.keyUsage, true, keyUsageValue(isAuthority ? [0, 5] : [0])),
    extension(OID.basicConstraints, true, isAuthority ? sequence(boolean(true)) : sequence()),
  ];
  if (isAuthority) {
    list.push(extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey))));
  } else {
    const purpose = usage === "server" ? OID.serverAuth : OID.clientAuth;
    list.push(
      extension(OID.extendedKeyUsage, false, sequence(objectIdentifier(purpose))),
      extension(OID.authorityKeyIdentifier, false, authorityKeyValue(signer.identifier)),
    );
  }
  const names = alternativeNamesValue({ dnsNames, ipAddresses: addresses.map(addressBytes) });
  if (names) list.push(extension(OID.subjectAltName, false, names));
  return list;
}

/** 4 bytes of an IPv4 address, 16 of an IPv6 one. */
export function addressBytes(address: string): Uint8Array {
  const ip = parseIP(address);
  if (!ip || ip.leadingZero) throw new Error(`not an IP address: ${address}`);
  // Written as an IPv6 address it is certified as one.
  return ip.mapped ? bytesOf({ family: 6, value: (0xffffn << 32n) | ip.value }) : bytesOf(ip);
}
