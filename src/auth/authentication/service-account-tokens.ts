/**
 * Tokens of service accounts: issued, and taken as long as they have not expired and the account and what they are
 * bound to still are the ones they were issued for. The signature is checked once and remembered; what must exist is
 * looked up on every request, so a deleted pod's token ends with the pod.
 */

import type { KubeObject } from "../../api/object.ts";
import type { BoundObject, ObjectReader } from "../../api/ports.ts";
import type { Resource } from "../../api/resource.ts";
import type { User } from "../../api/user.ts";
import type { Clock } from "../../base/clock.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { StoredSecret } from "./bootstrap-token.ts";
import { type Claims, isSignedBy, peekClaims, type VerificationKey } from "./json-web-token.ts";
import { EXTRA, frozenUser, GROUP, type TokenMethod } from "./method.ts";

/** The kinds that a token may be bound to. */
export interface BindableKinds {
  serviceAccounts: Resource<KubeObject>;
  secrets: Resource<StoredSecret>;
  pods: Resource<KubeObject>;
  nodes: Resource<KubeObject>;
}

export interface ServiceAccountTokenOptions {
  /** The first signs new tokens' `iss`; all are taken. */
  issuers: readonly string[];
  /** What the server calls itself. */
  audiences: readonly string[];
  keys: readonly VerificationKey[];
  reader: ObjectReader;
  kinds: BindableKinds;
  clock: Clock;
}

/** The issuer of tokens that live in Secrets of type kubernetes.io/service-account-token. */
const LEGACY_ISSUER = "kubernetes/serviceaccount";

/** A bound object that is being deleted keeps its tokens this much longer than its own grace period. */
const DELETION_LEEWAY = 60_000;
const REMEMBERED = 8192;

interface Reference {
  kind: "pods" | "secrets" | "nodes";
  name: string;
  uid: string;
}

interface Parsed {
  namespace: string;
  account: string;
  accountUID: string;
  bound: Reference[];
  audiences: readonly string[];
  expires: number;
  notBefore: number;
  /** Legacy tokens: the Secret that must still hold this very token. */
  secret?: string;
  finding: { user: User; audiences: readonly string[] };
}

export function serviceAccountTokenMethod(options: ServiceAccountTokenOptions): TokenMethod {
  const { issuers, audiences: own, keys, reader, kinds, clock } = options;
  const verified = new Map<string, Parsed>();

  function parse(token: string): Parsed | { refused: string } | undefined {
    const claims = peekClaims(token);
    if (!claims) return undefined;
    const legacy = claims.iss === LEGACY_ISSUER;
    if (!legacy && !(typeof claims.iss === "string" && issuers.includes(claims.iss))) return undefined;
    if (!isSignedBy(token, keys)) return { refused: "the service account token's signature is not valid" };
    const parsed = legacy ? legacyClaims(claims, own) : boundClaims(claims);
    if (!parsed) return { refused: "the service account token's claims are not valid" };
    if (verified.size >= REMEMBERED) verified.delete(verified.keys().next().value!);
    verified.set(token, parsed);
    return parsed;
  }

  function whyGone(parsed: Parsed, token: string): string | undefined {
    const { namespace, account, accountUID, bound, secret } = parsed;
    const found = reader.get(kinds.serviceAccounts, namespace, account);
    if (!found || isDeleted(found, clock)) return `service account ${namespace}/${account} has been deleted`;
    if (found.metadata.uid !== accountUID) return "the service account's uid does not match the token's";
    for (const { kind, name, uid } of bound) {
      const object: KubeObject | undefined = reader.get(kinds[kind], kind === "nodes" ? "" : namespace, name);
      if (!object || isDeleted(object, clock) || (uid !== "" && object.metadata.uid !== uid)) {
        return "service account token has been invalidated";
      }
    }
    if (secret === undefined) return undefined;
    const stored = reader.get(kinds.secrets, namespace, secret);
    const held = stored?.data && Object.hasOwn(stored.data, "token") ? stored.data.token : undefined;
    const same = held !== undefined && Buffer.from(held, "base64").toString() === token;
    return same ? undefined : "service account token has been invalidated";
  }

  return {
    authenticate(token, asked) {
      const parsed = verified.get(token) ?? parse(token);
      if (!parsed || "refused" in parsed) return parsed;
      const now = clock.now();
      if (now >= parsed.expires) {
        verified.delete(token);
        return { refused: "service account token has expired" };
      }
      if (now < parsed.notBefore) return { refused: "service account token is not valid yet" };
      const targets = asked.length > 0 ? asked : own;
      const audiences = parsed.audiences.filter((audience) => targets.includes(audience));
      if (audiences.length === 0) {
        return { refused: "the service account token is for other audiences" };
      }
      const gone = whyGone(parsed, token);
      if (gone) return { refused: gone };
      return audiences.length === parsed.audiences.length
        ? parsed.finding
        : { user: parsed.finding.user, audiences };
    },
  };
}

/** Whether the object's own grace period has long passed, and only a finalizer keeps it. */
function isDeleted({ metadata }: KubeObject, clock: Clock): boolean {
  const { deletionTimestamp } = metadata;
  if (deletionTimestamp === undefined) return false;
  return clock.now() > Date.parse(deletionTimestamp) + DELETION_LEEWAY;
}

function boundClaims(claims: Claims): Parsed | undefined {
  const inner = objectOf(claims["kubernetes.io"]);
  const account = objectOf(inner?.serviceaccount);
  const namespace = textOf(inner?.namespace);
  const name = textOf(account?.name);
  const accountUID = textOf(account?.uid);
  const expires = Number(claims.exp) * 1000;
  const audiences = (Array.isArray(claims.aud) ? claims.aud : [claims.aud]).filter(
    (a) => typeof a === "string",
  );
  if (!namespace || !name || !accountUID || Number.isNaN(expires)) return undefined;
  if (claims.sub !== `system:serviceaccount:${namespace}:${name}`) return undefined;

  const extra: Record<string, readonly string[]> = {};
  if (typeof claims.jti === "string") extra[EXTRA.credentialID] = [`JTI=${claims.jti}`];
  const [pod, secret, node] = [referenceOf(inner?.pod), referenceOf(inner?.secret), referenceOf(inner?.node)];
  if (pod) {
    extra[EXTRA.podName] = [pod.name];
    extra[EXTRA.podUID] = [pod.uid];
  }
  if (node) {
    extra[EXTRA.nodeName] = [node.name];
    if (node.uid !== "") extra[EXTRA.nodeUID] = [node.uid];
  }
  const bound: Reference[] = [];
  if (pod) bound.push({ kind: "pods", ...pod });
  if (secret) bound.push({ kind: "secrets", ...secret });
  // A pod's token names its node for information; only a token bound to the node itself ends with it.
  if (node && !pod) bound.push({ kind: "nodes", ...node });
  const user = accountUser(namespace, name, accountUID, extra);
  return {
    namespace,
    account: name,
    accountUID,
    bound,
    audiences,
    expires,
    notBefore: Number(claims.nbf ?? 0) * 1000,
    finding: { user, audiences },
  };
}

function legacyClaims(claims: Claims, audiences: readonly string[]): Parsed | undefined {
  const namespace = textOf(claims["kubernetes.io/serviceaccount/namespace"]);
  const account = textOf(claims["kubernetes.io/serviceaccount/service-account.name"]);
  const accountUID = textOf(claims["kubernetes.io/serviceaccount/service-account.uid"]);
  const secret = textOf(claims["kubernetes.io/serviceaccount/secret.name"]);
  if (!namespace || !account || !accountUID || !secret) return undefined;
  if (claims.sub !== `system:serviceaccount:${namespace}:${account}`) return undefined;
  const user = accountUser(namespace, account, accountUID, undefined);
  const always = { expires: Number.POSITIVE_INFINITY, notBefore: 0 };
  return {
    namespace,
    account,
    accountUID,
    secret,
    bound: [],
    audiences,
    ...always,
    finding: { user, audiences },
  };
}

function accountUser(namespace: string, name: string, uid: string, extra: User["extra"]): User {
  return frozenUser({
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: [GROUP.serviceAccounts, `${GROUP.serviceAccounts}:${namespace}`, GROUP.authenticated],
    ...(extra ? { extra } : {}),
  });
}

function referenceOf(value: unknown): { name: string; uid: string } | undefined {
  const { name, uid } = objectOf(value) ?? {};
  const text = textOf(name);
  return text === "" ? undefined : { name: text, uid: textOf(uid) };
}

function objectOf(value: unknown): Claims | undefined {
  return typeof value === "object" && value !== null ? (value as Claims) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The lifetime that the kubelet asks for a pod's own token; upstream lets such tokens live on while it warns. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

export interface TokenIssue {
  namespace: string;
  name: string;
  uid: string;
  audiences: readonly string[];
  seconds: number;
  bound?: BoundObject;
  node?: { name: string; uid?: string };
}

/** What a new token says. `own` are the server's audiences; `id` is the token's unique name. */
export function claimsOf(
  request: TokenIssue,
  { issuer, own, id, now }: { issuer: string; own: readonly string[]; id: string; now: number },
): { claims: Claims; expires: string } {
  const { namespace, name, uid, audiences, seconds, bound, node } = request;
  const at = Math.floor(now / 1000);
  const inner: Claims = { namespace, serviceaccount: { name, uid } };
  if (bound) inner[bound.kind.toLowerCase()] = { name: bound.name, uid: bound.uid };
  if (node && bound?.kind !== "Node")
    inner.node = { name: node.name, ...(node.uid ? { uid: node.uid } : {}) };
  const extended =
    bound?.kind === "Pod" &&
    seconds === WARN_ONLY_SECONDS &&
    audiences.every((audience) => own.includes(audience));
  if (extended) inner.warnafter = at + seconds;
  return {
    claims: {
      aud: audiences,
      exp: at + (extended ? EXTENDED_SECONDS : seconds),
      iat: at,
      iss: issuer,
      jti: id,
      "kubernetes.io": inner,
      nbf: at,
      sub: `system:serviceaccount:${namespace}:${name}`,
    },
    expires: formatTime((at + seconds) * 1000),
  };
}
