/** Puts certification requests together (PKCS #10, RFC 2986); who asks brings the signature. */
import { type AlternativeNames, alternativeNamesValue, extension } from "./build-certificate.ts";
import { OID } from "./certificate.ts";
import { bitString, context, integer, objectIdentifier, sequence, set, utf8String } from "./der.ts";
import { pemOf } from "./pem.ts";

export interface RequestParts extends AlternativeNames {
  commonName: string;
  organizations: readonly string[];
  /** SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
}

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** PEM. `sign` is ECDSA with SHA-256, as DER. */
export function certificateRequest(
  { commonName, organizations, publicKey, ...names }: RequestParts,
  sign: (information: Uint8Array) => Uint8Array,
): string {
  const attribute = (type: string, text: string): Uint8Array =>
    set(sequence(objectIdentifier(type), utf8String(text)));
  const alternative = alternativeNamesValue(names);
  const wanted = alternative ? sequence(extension(OID.subjectAltName, false, alternative)) : undefined;
  const information = sequence(
    integer(Uint8Array.of(0)),
    sequence(
      ...organizations.map((organization) => attribute(OID.organization, organization)),
      attribute(OID.commonName, commonName),
    ),
    publicKey,
    context(0, ...(wanted ? [sequence(objectIdentifier(EXTENSION_REQUEST), set(wanted))] : [])),
  );
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSHA256));
  return pemOf("CERTIFICATE REQUEST", sequence(information, algorithm, bitString(sign(information))));
}
