/** The way into the handler for a client in the same process, which shows the credentials of one user. */

import type { PeerCertificate } from "../../auth/authentication/method.ts";
import type { Handler } from "../handler.ts";
import { type InProcessAnswer, InProcessExchange, type InProcessRequest } from "./in-process-exchange.ts";

/**
 * Without a certificate the request must bring a token. `certificate` is asked at each request, since it may be renewed;
 * the same one must be the same object. The returned function stops listening.
 */
export function dispatchTo(
  handler: Handler,
  certificate?: () => PeerCertificate,
): (request: InProcessRequest, answer: InProcessAnswer) => () => void {
  return (request, answer) => {
    const exchange = new InProcessExchange({ ...request, certificate: certificate?.() }, answer);
    handler(exchange);
    return () => exchange.abort();
  };
}
