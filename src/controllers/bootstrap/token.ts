/** Bootstrap tokens: Secrets of type bootstrap.kubernetes.io/token in kube-system. Pure. */
import { createHmac } from "node:crypto";
import type { Secret } from "../../api/core/secret.ts";

export const TOKENS = { namespace: "kube-system", fieldSelector: "type=bootstrap.kubernetes.io/token" };

const PREFIX = "bootstrap-token-";

function text({ data }: Secret, key: string): string {
  return data && Object.hasOwn(data, key) ? Buffer.from(data[key]!, "base64").toString() : "";
}

/** Milliseconds since 1970; undefined for ever. What cannot be read counts as passed. */
export function expiryOf(secret: Secret): number | undefined {
  const expiration = text(secret, "expiration");
  if (expiration === "") return undefined;
  const at = Date.parse(expiration);
  return Number.isNaN(at) ? Number.NEGATIVE_INFINITY : at;
}

/** A token that may sign; undefined where it may not. */
export function signingToken(secret: Secret, now: number): { id: string; secret: string } | undefined {
  const id = text(secret, "token-id");
  const value = text(secret, "token-secret");
  if (id === "" || value === "" || secret.metadata.name !== PREFIX + id) return undefined;
  if (secret.metadata.deletionTimestamp !== undefined) return undefined;
  const expires = expiryOf(secret);
  if (expires !== undefined && expires <= now) return undefined;
  return text(secret, "usage-bootstrap-signing") === "true" ? { id, secret: value } : undefined;
}

/** A JWS (RFC 7515) without its payload: who knows the token can tell that `content` is the cluster's. */
export function detachedSignature(content: string, token: { id: string; secret: string }): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: token.id })).toString("base64url");
  const payload = Buffer.from(content).toString("base64url");
  const signature = createHmac("sha256", token.secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}..${signature}`;
}

const KUBECONFIG = "kubeconfig";
const SIGNATURE = "jws-kubeconfig-";

/** The data with the signatures of these tokens and no others; undefined where it is so already. */
export function signedData(
  data: Readonly<Record<string, string>> | undefined,
  tokens: readonly { id: string; secret: string }[],
): Record<string, string> | undefined {
  if (!data || !Object.hasOwn(data, KUBECONFIG)) return undefined;
  const signed = new Map(Object.entries(data).filter(([key]) => !key.startsWith(SIGNATURE)));
  for (const token of tokens) signed.set(SIGNATURE + token.id, detachedSignature(data[KUBECONFIG]!, token));
  const same =
    signed.size === Object.keys(data).length &&
    [...signed].every(([key, value]) => Object.hasOwn(data, key) && data[key] === value);
  return same ? undefined : Object.fromEntries(signed);
}
