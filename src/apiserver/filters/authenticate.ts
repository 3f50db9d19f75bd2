/** Who makes the request; 401 where nobody can be told. */
import type { User } from "../../api/user.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { Filter } from "../handler.ts";
import type { PeerCertificate } from "../http/peer.ts";

export interface RequestCredentials {
  path: string;
  peerCertificate?: PeerCertificate | undefined;
  authorization?: string | undefined;
  webSocketProtocols?: string | undefined;
  headers(): Readonly<Record<string, readonly string[] | undefined>>;
}

/** The user, or the Status (401) that ends the request; a promise only where the network had to be asked. */
export interface RequestAuthenticator {
  authenticate(credentials: RequestCredentials): User | StatusError | Promise<User | StatusError>;
}

export function authenticate(authenticator: RequestAuthenticator): Filter {
  return (request, next) => {
    const { exchange } = request;
    const found = authenticator.authenticate({
      path: exchange.path,
      peerCertificate: exchange.certificate,
      authorization: exchange.header("authorization"),
      webSocketProtocols: exchange.header("sec-websocket-protocol"),
      headers: () => exchange.headers(),
    });
    return found instanceof Promise
      ? found.then((user) => goOn(request, user, next))
      : goOn(request, found, next);
  };
}

function goOn(
  request: ApiRequest,
  found: User | StatusError,
  next: () => void | Promise<void>,
): void | Promise<void> {
  if (found instanceof StatusError) throw found;
  request.user = found;
  return next();
}
