/** The query parameters of lists and watches, checked as upstream checks them. */
import { type FieldError, forbiddenField, invalid, notSupported } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { ListOptions } from "../registry/list.ts";
import { type WatchOptions, watchTimeout } from "./watch.ts";

const MATCHES = ["Exact", "NotOlderThan"];

export function listOptions(query: URLSearchParams): ListOptions {
  const limit = query.get("limit") ?? "";
  if (limit !== "" && !/^-?[0-9]{1,18}$/.test(limit)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`);
  }
  const resourceVersion = query.get("resourceVersion") ?? "";
  const resourceVersionMatch = query.get("resourceVersionMatch") ?? "";
  const token = query.get("continue") ?? "";
  const errors: FieldError[] = [];
  const matchPath = FieldPath.root("resourceVersionMatch");
  if (resourceVersionMatch !== "") {
    if (resourceVersion === "") {
      errors.push(
        forbiddenField(matchPath, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
      );
    }
    if (token !== "")
      errors.push(forbiddenField(matchPath, "resourceVersionMatch is forbidden when continue is provided"));
    if (!MATCHES.includes(resourceVersionMatch)) {
      errors.push(notSupported(matchPath, resourceVersionMatch, [...MATCHES, ""]));
    }
    if (resourceVersionMatch === "Exact" && resourceVersion === "0") {
      errors.push(
        forbiddenField(matchPath, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
  }
  if (query.has("sendInitialEvents")) {
    errors.push(
      forbiddenField(FieldPath.root("sendInitialEvents"), "sendInitialEvents is forbidden for list"),
    );
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  if (token !== "" && resourceVersion !== "" && resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  // As upstream's watch cache: a list at "any" revision is not cut into pages.
  const pages = resourceVersion === "0" && token === "" ? 0 : Math.max(0, Number(limit));
  return { resourceVersion, resourceVersionMatch, limit: pages, continue: token };
}

export function watchOptions(query: URLSearchParams, random: (limit: number) => number): WatchOptions {
  const flag = (name: string): boolean | undefined => {
    const value = query.get(name);
    return value === null ? undefined : value === "true" || value === "1" || value === "";
  };
  const sendInitialEvents = flag("sendInitialEvents");
  const match = query.get("resourceVersionMatch") ?? "";
  const bookmarks = flag("allowWatchBookmarks") ?? false;
  const errors: FieldError[] = [];
  const matchPath = FieldPath.root("resourceVersionMatch");
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    errors.push(
      forbiddenField(matchPath, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    );
  }
  if (match !== "" && sendInitialEvents === undefined) {
    errors.push(
      forbiddenField(
        matchPath,
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      ),
    );
  }
  if (match !== "" && match !== "NotOlderThan") errors.push(notSupported(matchPath, match, ["NotOlderThan"]));
  if (match !== "" && query.get("continue")) {
    errors.push(forbiddenField(matchPath, "resourceVersionMatch is forbidden when continue is provided"));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  return {
    resourceVersion: query.get("resourceVersion") ?? "",
    bookmarks,
    sendInitialEvents,
    timeout: watchTimeout(query.get("timeoutSeconds"), random),
  };
}
