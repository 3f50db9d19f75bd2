import type { Attributes } from "../../api/user.ts";
import { forbidden, type StatusError } from "../../machinery/status/status-error.ts";

/** What was refused, in the API server's words, with the authorizers' reason behind it. */
export function forbiddenMessage(attributes: Attributes, reason: string): string {
  const { user, verb, path, namespace, group, resource, subresource, isResource } = attributes;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  const why = reason === "" ? "" : `: ${reason}`;
  if (!isResource) return `${who} path ${JSON.stringify(path)}${why}`;
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  return `${who} resource "${what}" in API group "${group}" ${where}${why}`;
}

/** The 403 that ends a request which authorization refused. */
export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const { group, resource, name, isResource } = attributes;
  const target = isResource ? { group, resource } : { group: "", resource: "" };
  return forbidden(target, isResource ? name : "", forbiddenMessage(attributes, reason));
}
