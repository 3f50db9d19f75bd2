/** What a request is about, read from its method, path and query (upstream: apiserver/pkg/endpoints/request). */

import type { KubeObject } from "../../api/object.ts";
import type { Resource, Subresource } from "../../api/resource.ts";
import type { Served } from "../registry/registry.ts";
import type { RouteTable } from "./route-table.ts";

export interface RequestInfo {
  isResource: boolean;
  /** As authorization names it: get, list, watch, create, update, patch, delete, deletecollection; or the method. */
  verb: string;
  group: string;
  version: string;
  namespace: string;
  /** The plural, known or not. */
  resource: string;
  subresource: string;
  name: string;
  /** Path segments behind the subresource, for proxy. */
  rest: readonly string[];
  /** The resource in its version, where there is one. */
  served: Served | undefined;
  declared: Subresource<KubeObject> | undefined;
  path: string;
}

const VERBS: Record<string, string> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** A path segment decoded, or undefined where it is not one that a name could be. */
function decoded(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

export function requestInfo(
  method: string,
  path: string,
  query: URLSearchParams,
  routes: RouteTable,
): RequestInfo {
  const info: RequestInfo = {
    isResource: false,
    verb: method.toLowerCase(),
    group: "",
    version: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    rest: [],
    served: undefined,
    declared: undefined,
    path,
  };
  const raw = path.split("/");
  const isCore = raw[1] === "api";
  if (!isCore && raw[1] !== "apis") return info;
  let at = isCore ? 2 : 3;
  // The core group has its own root: "/apis//v1" is not another name for it.
  if (!isCore && raw[2] === "") return info;
  const version = raw[at++];
  if (raw.length <= at || version === undefined || raw[at] === "") return info;
  const parts: string[] = [];
  for (let i = at; i < raw.length; i++) {
    const part = decoded(raw[i]!);
    if (part === undefined) return info;
    if (part !== "" || i < raw.length - 1) parts.push(part);
  }
  info.isResource = true;
  info.group = isCore ? "" : raw[2]!;
  info.version = version;
  info.verb = VERBS[method] ?? "";
  let watched = false;
  if (parts[0] === "watch" && parts.length > 1 && !routes.find(info.group, version, "watch")) {
    parts.shift();
    watched = true;
  }
  if (parts[0] === "namespaces" && parts.length > 1) {
    info.namespace = parts[1]!;
    // A namespace's own subresources are not resources in it.
    if (parts.length > 2 && !(isCore && routes.isNamespaceSubresource(parts[2]!))) parts.splice(0, 2);
  }
  info.resource = parts[0] ?? "";
  info.name = parts[1] ?? "";
  info.subresource = parts[2] ?? "";
  info.rest = parts.slice(3);
  info.served = routes.find(info.group, version, info.resource);
  info.declared = info.served && ownSubresource(info.served.resource, info.subresource);
  if (info.name === "") collectionVerb(info, query, watched);
  else if (watched) info.verb = "watch";
  return info;
}

function ownSubresource(resource: Resource, name: string): Subresource<KubeObject> | undefined {
  return name !== "" && Object.hasOwn(resource.subresources, name) ? resource.subresources[name] : undefined;
}

function collectionVerb(info: RequestInfo, query: URLSearchParams, watched: boolean): void {
  if (info.verb === "get") {
    const watch = query.get("watch");
    info.verb = watched || watch === "true" || watch === "1" || watch === "" ? "watch" : "list";
  } else if (info.verb === "delete") info.verb = "deletecollection";
  else return;
  // As upstream: a selector for one name is authorized as that name.
  const selector = query.get("fieldSelector");
  const one = selector && /^metadata\.name==?([^,=!]+)$/.exec(selector);
  if (one) info.name = one[1]!;
}
