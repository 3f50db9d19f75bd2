/** How a webhook is reached (apiserver/pkg/util/webhook): of admission and of conversion alike. */
import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1123Subdomain, isValidPortNum } from "../../machinery/names/names.ts";

export interface WebhookServiceReference {
  name?: string;
  namespace?: string;
  path?: string;
  port?: number;
}

export interface WebhookClient {
  url?: string;
  service?: WebhookServiceReference;
}

const HTTPS_PORT = 443;
const FORM = "; desired format: https://host[/path]";

export function defaultWebhookClient(client: WebhookClient | undefined): void {
  if (client?.service) client.service.port ??= HTTPS_PORT;
}

export function validateWebhookClient(client: WebhookClient, path: FieldPath): FieldError[] {
  const { url, service } = client;
  if ((url === undefined) === (service === undefined)) {
    return [required(path, "exactly one of url or service is required")];
  }
  return url === undefined
    ? validateService(service ?? {}, path.child("service"))
    : validateURL(url, path.child("url"));
}

interface URLParts {
  scheme: string;
  user: string | undefined;
  host: string;
  query: string;
  fragment: string;
}

/**
 * Splits as Go's url.Parse does, whose idea of a URL is wider than that of the URL class; a text is what is wrong.
 */
function splitURL(text: string): URLParts | string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return "net/url: invalid control character in URL";
  }
  const hash = text.indexOf("#");
  const fragment = hash < 0 ? "" : text.slice(hash + 1);
  let rest = hash < 0 ? text : text.slice(0, hash);
  const mark = rest.indexOf("?");
  const query = mark < 0 ? "" : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  if (rest.startsWith(":")) return "missing protocol scheme";
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(rest)?.[0] ?? "";
  if (scheme !== "") rest = rest.slice(scheme.length + 1);
  let user: string | undefined;
  let host = "";
  if (rest.startsWith("//")) {
    const slash = rest.indexOf("/", 2);
    const authority = rest.slice(2, slash < 0 ? undefined : slash);
    const at = authority.lastIndexOf("@");
    if (at >= 0) user = authority.slice(0, at);
    host = authority.slice(at + 1);
    const port = host.slice(host.lastIndexOf("]") + 1).match(/:(.*)$/)?.[1];
    if (port !== undefined && !/^[0-9]*$/.test(port)) return `invalid port ":${port}" after host`;
  }
  return { scheme: scheme.toLowerCase(), user, host, query, fragment };
}

function validateURL(url: string, path: FieldPath): FieldError[] {
  const parts = splitURL(url);
  if (typeof parts === "string") {
    return [required(path, `url must be a valid URL: parse ${JSON.stringify(url)}: ${parts}${FORM}`)];
  }
  const errors: FieldError[] = [];
  const { scheme, user, host, query, fragment } = parts;
  if (scheme !== "https") {
    errors.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${FORM}`));
  }
  if (host === "") errors.push(invalidValue(path, host, `host must be provided${FORM}`));
  if (user !== undefined) {
    errors.push(invalidValue(path, user, "user information is not permitted in the URL"));
  }
  if (fragment !== "") errors.push(invalidValue(path, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalidValue(path, query, "query parameters are not permitted in the URL"));
  return errors;
}

function validateService(service: WebhookServiceReference, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { name = "", namespace = "", path: urlPath = "", port = 0 } = service;
  if (name === "") errors.push(required(path.child("name"), "service name is required"));
  if (namespace === "") errors.push(required(path.child("namespace"), "service namespace is required"));
  const portWrong = isValidPortNum(port);
  if (portWrong.length > 0) {
    errors.push(invalidValue(path.child("port"), port, `port is not valid: ${portWrong.join(", ")}`));
  }
  for (const text of urlPathWrong(urlPath)) errors.push(invalidValue(path.child("path"), urlPath, text));
  return errors;
}

function urlPathWrong(urlPath: string): string[] {
  if (urlPath === "" || urlPath === "/") return [];
  if (urlPath === "//") return ["segment[0] may not be empty"];
  const wrong = urlPath.startsWith("/") ? [] : ["must start with a '/'"];
  const inner = urlPath.slice(1);
  const segments = (inner.endsWith("/") ? inner.slice(0, -1) : inner).split("/");
  for (const [i, segment] of segments.entries()) {
    if (segment === "") wrong.push(`segment[${i}] may not be empty`);
    else for (const text of isDNS1123Subdomain(segment)) wrong.push(`segment[${i}]: ${text}`);
  }
  return wrong;
}
