/** All ways to be known, in upstream's order, and the rule for those who are not. */

import type { User } from "../../api/user.ts";
import { type StatusError, unauthorized } from "../../machinery/status/status-error.ts";
import {
  type Credentials,
  type Finding,
  frozenUser,
  GROUP,
  type RequestMethod,
  type TokenMethod,
  withAuthenticatedGroup,
} from "./method.ts";

/** Where a request without credentials is let in, as the conditions of an AuthenticationConfiguration. */
export const ANONYMOUS_PATHS: readonly string[] = [
  "/healthz",
  "/livez",
  "/readyz",
  "/version",
  // By which machines that join find the cluster's authority, where a role lets them: kubeadm's discovery.
  "/api/v1/namespaces/kube-public/configmaps/cluster-info",
];

export const ANONYMOUS: User = frozenUser({ name: "system:anonymous", groups: [GROUP.unauthenticated] });

const WEB_SOCKET_TOKEN = "base64url.bearer.authorization.k8s.io.";

export interface Authenticator {
  /**
   * Who makes the request; a StatusError (401) where credentials were shown and refused, or none where they are needed.
   * Refusals never hold what was shown. A promise only where the network had to be asked.
   */
  authenticate(credentials: Credentials): User | StatusError | Promise<User | StatusError>;
}

export interface AuthenticatorOptions {
  /** Front proxy, then client certificates. */
  requests: readonly RequestMethod[];
  /** Token file, service accounts, bootstrap tokens. */
  tokens: TokenMethod;
  anonymousPaths?: readonly string[];
  /** Told why a request was refused, for the log and the audit event. */
  refused?: (why: string) => void;
}

export function makeAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { requests, tokens, anonymousPaths = ANONYMOUS_PATHS, refused } = options;
  return {
    authenticate(credentials) {
      let why: string | undefined;
      for (const method of requests) {
        const finding = method.authenticate(credentials);
        if (!finding) continue;
        if ("user" in finding) return finding.user;
        why = finding.refused;
      }
      const token = bearerTokenOf(credentials);
      if (token !== undefined) {
        const finding = tokens.authenticate(token, []);
        if (finding && "user" in finding) return finding.user;
        why = finding?.refused ?? "the bearer token is not known";
      }
      if (why === undefined && anonymousPaths.includes(credentials.path)) return ANONYMOUS;
      refused?.(why ?? "no credentials");
      return unauthorized();
    },
  };
}

/** Asks each method in turn. A refusal does not end it: another may know the token. */
export function anyTokenMethod(methods: readonly TokenMethod[]): TokenMethod {
  const known = new WeakMap<User, User>();
  return {
    authenticate(token, audiences) {
      let refusal: Finding;
      for (const method of methods) {
        const finding = method.authenticate(token, audiences);
        if (!finding) continue;
        if ("refused" in finding) {
          refusal = finding;
          continue;
        }
        let user = known.get(finding.user);
        if (!user) {
          user = withAuthenticatedGroup(finding.user);
          known.set(finding.user, user);
        }
        return user === finding.user ? finding : { ...finding, user };
      }
      return refusal;
    },
  };
}

/** The token that a request shows, in its header or, as browsers must, among the protocols of a WebSocket. */
export function bearerTokenOf({
  authorization,
  webSocketProtocols,
}: Pick<Credentials, "authorization" | "webSocketProtocols">): string | undefined {
  if (authorization !== undefined) {
    const space = authorization.indexOf(" ");
    if (space === 6 && authorization.slice(0, 6).toLowerCase() === "bearer") {
      const token = authorization.slice(7).trim();
      if (token !== "") return token;
    }
  }
  if (webSocketProtocols === undefined) return undefined;
  const protocols = webSocketProtocols.split(",").map((protocol) => protocol.trim());
  const carrier = protocols.find((protocol) => protocol.startsWith(WEB_SOCKET_TOKEN));
  // The token must not be the only protocol: the answer would have to echo it (upstream: websocket/protocol.go).
  if (carrier === undefined || protocols.length < 2) return undefined;
  const token = Buffer.from(carrier.slice(WEB_SOCKET_TOKEN.length), "base64url").toString();
  return token === "" ? undefined : token;
}
