/** The documents with which others verify service account tokens. Reading them needs `system:service-account-issuer-discovery`. */
import { type Claims, keySetOf, type VerificationKey } from "./json-web-token.ts";

export const OPENID_CONFIGURATION_PATH = "/.well-known/openid-configuration";
export const JWKS_PATH = "/openid/v1/jwks";

export function openIDConfiguration(
  issuer: string,
  keys: readonly VerificationKey[],
  jwksURI: string,
): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: jwksURI,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
  };
}

/** Served as application/jwk-set+json. */
export function jsonWebKeySet(keys: readonly VerificationKey[]): { keys: Claims[] } {
  return keySetOf(keys);
}
