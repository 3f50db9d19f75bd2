/** Signs and checks compact JWS (RFC 7515) with node:crypto: the call is synchronous and needs no key import each time. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

export type Claims = Record<string, unknown>;

interface VerificationKey {
  id: string;
  algorithm: string;
  hash: string;
  key: KeyObject;
}

const CURVES: Readonly<Record<string, { algorithm: string; hash: string; curve: string; bytes: number }>> = {
  prime256v1: { algorithm: "ES256", hash: "sha256", curve: "P-256", bytes: 32 },
  secp384r1: { algorithm: "ES384", hash: "sha384", curve: "P-384", bytes: 48 },
  secp521r1: { algorithm: "ES512", hash: "sha512", curve: "P-521", bytes: 66 },
};

/** RSA signs RS256, a NIST curve its ES algorithm, as upstream chooses by the key's type. */
export function readVerificationKeys(pem: string): VerificationKey[] {
  const blocks = pem.match(/-----BEGIN [A-Z ]+-----[^-]*-----END [A-Z ]+-----/g) ?? [];
  const keys = blocks.map((block) => verificationKey(createPublicKey(block)));
  // A signing key and its public half are often given together.
  return [...new Map(keys.map((key) => [key.id, key])).values()];
}

function verificationKey(key: KeyObject): VerificationKey {
  const id = createHash("sha256")
    .update(key.export({ format: "der", type: "spki" }))
    .digest("base64url");
  if (key.asymmetricKeyType === "rsa") return { id, algorithm: "RS256", hash: "sha256", key };
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType !== "ec" || !curve) throw new Error("service account keys must be RSA or EC");
  return { id, algorithm: curve.algorithm, hash: curve.hash, key };
}

/** Signs claims with the private key of a PEM. */
export function openSigner(pem: string): (claims: Claims) => string {
  const key = createPrivateKey(pem);
  const { id, algorithm, hash } = verificationKey(createPublicKey(key));
  const header = encoded({ alg: algorithm, kid: id });
  return (claims) => {
    const signed = `${header}.${encoded(claims)}`;
    const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  };
}

/** The claims of a token, not yet verified; undefined where it is no JWT. */
export function peekClaims(token: string): Claims | undefined {
  const first = token.indexOf(".");
  const last = token.lastIndexOf(".");
  if (first <= 0 || last <= first || token.indexOf(".", first + 1) !== last) return undefined;
  return decoded(token.slice(first + 1, last));
}

/** Whether one of `keys` signed the token. A key id selects its key; tokens without one are tried with all. */
export function isSignedBy(token: string, keys: readonly VerificationKey[]): boolean {
  const first = token.indexOf(".");
  const last = token.lastIndexOf(".");
  const header = decoded(token.slice(0, first));
  if (!header) return false;
  const byID = keys.filter(({ id }) => id === header.kid);
  const signed = Buffer.from(token.slice(0, last));
  const signature = Buffer.from(token.slice(last + 1), "base64url");
  return (byID.length > 0 ? byID : keys).some(
    ({ algorithm, hash, key }) =>
      // The algorithm is the key's; a header that names another is a forgery.
      header.alg === algorithm && verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, signature),
  );
}

/** The JSON Web Key Set (RFC 7517) that `/openid/v1/jwks` serves. */
export function keySetOf(keys: readonly VerificationKey[]): { keys: Claims[] } {
  return {
    keys: keys.map(({ id, algorithm, key }) => {
      const { kty, n, e, crv, x, y } = key.export({ format: "jwk" });
      const material = kty === "RSA" ? { n, e } : { crv, x, y };
      return { use: "sig", kty, kid: id, alg: algorithm, ...material };
    }),
  };
}

export type { VerificationKey };

function encoded(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decoded(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined;
  } catch {
    return undefined;
  }
}
