/** Impersonate-* headers: the request goes on as another user, where its own may do that. */
import type { Authorizer } from "../../api/user.ts";
import { asksToImpersonate, impersonate as impersonated } from "../../auth/authentication/impersonate.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { Filter } from "../handler.ts";

export function impersonate(authorizer: Authorizer): Filter {
  return (request, next) => {
    const { exchange } = request;
    if (!exchange.mayImpersonate) return next();
    const headers = exchange.headers();
    if (!asksToImpersonate(headers)) return next();
    return (async () => {
      const user = await impersonated(headers, request.user, authorizer);
      if (user instanceof StatusError) throw user;
      request.annotate("authentication.kubernetes.io/impersonator", request.user.name);
      request.user = user;
      await next();
    })();
  };
}
