/**
 * What a request shows of who makes it, and the ways to tell a user from that. Each method is a file of its own;
 * authenticator.ts lists them.
 */
import type { User } from "../../api/user.ts";

/**
 * A client's certificate as TLS received it (`socket.getPeerX509Certificate()`). Keep one object per connection: results
 * are kept by it.
 */
export interface PeerCertificate {
  /** DER. */
  raw: Uint8Array;
  issuerCertificate?: PeerCertificate | undefined;
}

/** Header values by lower-case name, repeated headers one by one (`request.headersDistinct`). */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>;

export interface Credentials {
  /** The path of the request, which decides whether it may be anonymous. */
  path: string;
  /** Verified here, not by TLS: a server takes any client certificate and leaves it to authentication. */
  peerCertificate?: PeerCertificate | undefined;
  authorization?: string | undefined;
  /** The Sec-WebSocket-Protocol header, in which browsers must carry their token. */
  webSocketProtocols?: string | undefined;
  /** Asked for only where the peer is a front proxy. */
  headers(): DistinctHeaders;
}

/** `undefined`: the method has nothing to say. A refusal says why in words that hold no secret. */
export type Finding = { user: User; audiences?: readonly string[] } | { refused: string } | undefined;

export interface RequestMethod {
  authenticate(credentials: Credentials): Finding;
}

export interface TokenMethod {
  /** `audiences`: of which the token must be for at least one; `[]` means those of the server itself. */
  authenticate(token: string, audiences: readonly string[]): Finding;
}

export const GROUP = {
  authenticated: "system:authenticated",
  unauthenticated: "system:unauthenticated",
  serviceAccounts: "system:serviceaccounts",
  masters: "system:masters",
} as const;

export const EXTRA = {
  credentialID: "authentication.kubernetes.io/credential-id",
  podName: "authentication.kubernetes.io/pod-name",
  podUID: "authentication.kubernetes.io/pod-uid",
  nodeName: "authentication.kubernetes.io/node-name",
  nodeUID: "authentication.kubernetes.io/node-uid",
} as const;

/** Deeply frozen: a user is shared by all requests of its credential. */
export function frozenUser(user: User): User {
  if (user.extra) {
    for (const values of Object.values(user.extra)) Object.freeze(values);
    Object.freeze(user.extra);
  }
  Object.freeze(user.groups);
  return Object.freeze(user);
}

/** The user with the group of all authenticated users, where it is not said already. */
export function withAuthenticatedGroup(user: User): User {
  const { groups } = user;
  if (user.name === "system:anonymous") return user;
  if (groups.includes(GROUP.authenticated) || groups.includes(GROUP.unauthenticated)) return user;
  return frozenUser({ ...user, groups: [...groups, GROUP.authenticated] });
}
