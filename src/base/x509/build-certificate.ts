/** Puts certificates together as DER; who signs brings the signature. */
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from "./der.ts";

export interface CertificateParts {
  serial: Uint8Array;
  /** The AlgorithmIdentifier of the signature. */
  algorithm: Uint8Array;
  /** Names as DER. */
  issuer: Uint8Array;
  subject: Uint8Array;
  notBefore: Date;
  notAfter: Date;
  /** SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
  extensions: readonly Uint8Array[];
}

/** The TBSCertificate, of version 3. */
export function toBeSigned(parts: CertificateParts): Uint8Array {
  const { serial, algorithm, issuer, subject, notBefore, notAfter, publicKey, extensions } = parts;
  return sequence(
    context(0, integer(Uint8Array.of(2))),
    integer(serial),
    algorithm,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey,
    context(3, sequence(...extensions)),
  );
}

export function signedCertificate(
  signed: Uint8Array,
  algorithm: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  return sequence(signed, algorithm, bitString(signature));
}

export function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return critical
    ? sequence(objectIdentifier(id), boolean(true), octetString(value))
    : sequence(objectIdentifier(id), octetString(value));
}

/** The value of a keyUsage extension; `bits` by their numbers of RFC 5280 section 4.2.1.3. */
export function keyUsageValue(bits: readonly number[]): Uint8Array {
  const last = Math.max(...bits);
  const bytes = new Uint8Array((last >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return bitString(bytes, 7 - (last & 7));
}

/** The value of an authorityKeyIdentifier extension. */
export function authorityKeyValue(identifier: Uint8Array): Uint8Array {
  return sequence(contextPrimitive(0, identifier));
}

export interface AlternativeNames {
  dnsNames: readonly string[];
  /** 4 or 16 bytes each. */
  ipAddresses: readonly Uint8Array[];
  emails?: readonly string[];
  uris?: readonly string[];
}

/** The value of a subjectAltName extension; undefined where there are no names. Texts are ASCII. */
export function alternativeNamesValue(names: AlternativeNames): Uint8Array | undefined {
  const text = (number: number, texts: readonly string[] = []): Uint8Array[] =>
    texts.map((one) =>
      contextPrimitive(
        number,
        Uint8Array.from(one, (char) => char.charCodeAt(0)),
      ),
    );
  const all = [
    ...text(2, names.dnsNames),
    ...text(1, names.emails),
    ...names.ipAddresses.map((address) => contextPrimitive(7, address)),
    ...text(6, names.uris),
  ];
  return all.length > 0 ? sequence(...all) : undefined;
}
