/** Who asks the kubelet: by a client certificate of the cluster's authority, or a token that the API server reviews. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { TokenReview } from "../../api/authentication/token-review.ts";
import type { User } from "../../api/user.ts";
import { bearerTokenOf } from "../../auth/authentication/authenticator.ts";
import type { PeerCertificate } from "../../auth/authentication/method.ts";
import { x509Method } from "../../auth/authentication/x509.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { KeptAnswers } from "./kept-answers.ts";

/** Milliseconds that a review's answer is kept: upstream's authentication.webhook.cacheTTL. */
const REVIEW_TTL = 2 * 60_000;

export interface KubeletAuthentication {
  /** Undefined: nobody that is known. Rejects where the API server could not be asked. */
  authenticate(request: IncomingMessage): Promise<User | undefined>;
  trust(clientCA: string): void;
}

export function kubeletAuthentication(options: {
  clientCA: string;
  client: Client;
  clock: Clock;
}): KubeletAuthentication {
  const { client, clock } = options;
  const certificates = x509Method({ bundle: options.clientCA, clock });
  const peers = new WeakMap<object, PeerCertificate | undefined>();
  const reviews = client.resource(TokenReview);
  const kept = new KeptAnswers<User | undefined>(clock);

  function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
    // One object for each connection, by which the verdict is kept.
    if (!peers.has(socket)) peers.set(socket, socket.getPeerX509Certificate?.());
    return peers.get(socket);
  }

  async function review(token: string): Promise<User | undefined> {
    const { status } = await reviews.create({ metadata: {}, spec: { token } });
    const user = status?.user;
    if (!status?.authenticated || !user) return undefined;
    const { username = "", uid, groups = [], extra } = user;
    return { name: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
  }

  return {
    async authenticate(request) {
      const peerCertificate = certificateOf(request.socket as TLSSocket);
      const { authorization, "sec-websocket-protocol": webSocketProtocols } = request.headers;
      const found = certificates.authenticate({ path: "", peerCertificate, headers: () => ({}) });
      if (found && "user" in found) return found.user;
      const token = bearerTokenOf({ authorization, webSocketProtocols });
      if (token === undefined) return undefined;
      // Tokens are kept as what cannot be turned back into them.
      const key = createHash("sha256").update(token).digest("base64");
      return kept.get(
        key,
        () => review(token),
        () => REVIEW_TTL,
      );
    },
    trust: (clientCA) => certificates.trust(clientCA),
  };
}
