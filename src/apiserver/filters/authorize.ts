/** Whether the user may do what the request asks; 403 where no authorizer says so. */
import type { Attributes, Authorizer, Decision } from "../../api/user.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { Filter } from "../handler.ts";

export type Refusal = (attributes: Attributes, reason: string) => StatusError;

export function attributesOf({ info, user, query }: ApiRequest): Attributes {
  const attributes: Attributes = {
    user,
    verb: info.verb,
    namespace: info.namespace,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: info.path,
    isResource: info.isResource,
  };
  if (info.verb === "list" || info.verb === "watch" || info.verb === "deletecollection") {
    attributes.fieldSelector = query.get("fieldSelector") ?? undefined;
    attributes.labelSelector = query.get("labelSelector") ?? undefined;
  }
  return attributes;
}

export function authorize(authorizer: Authorizer, refusal: Refusal): Filter {
  return (request, next) => {
    const attributes = attributesOf(request);
    const decision = authorizer.authorize(attributes);
    if (decision instanceof Promise) return decision.then((made) => judge(request, attributes, made, next));
    return judge(request, attributes, decision, next);
  };

  function judge(
    request: ApiRequest,
    attributes: Attributes,
    { decision, reason, error }: Decision,
    next: () => void | Promise<void>,
  ): void | Promise<void> {
    if (decision === "allow") return next();
    request.annotate("authorization.k8s.io/decision", "forbid");
    if (error && decision === "none" && reason === "") throw new StatusError("InternalError", error);
    throw refusal(attributes, reason);
  }
}
