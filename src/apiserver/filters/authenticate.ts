/** Who makes the request; 401 where nobody can be told. */
import type { User } from "../../api/user.ts";
import type { Authenticator } from "../../auth/authentication/authenticator.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { Filter } from "../handler.ts";

export function authenticate(authenticator: Authenticator): Filter {
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
