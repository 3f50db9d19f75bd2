/** What may be asked along with a verb, and how it is written in the query. */

export interface CallOptions {
  signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /** "" (default) is the latest; "0" whatever the server has at hand. */
  resourceVersion?: string;
}

export interface SelectOptions extends CallOptions {
  labelSelector?: string;
  fieldSelector?: string;
}

export interface ListOptions extends SelectOptions {
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: "Exact" | "NotOlderThan";
}

export interface WatchOptions extends SelectOptions {
  resourceVersion?: string;
  resourceVersionMatch?: "NotOlderThan";
  allowWatchBookmarks?: boolean;
  /** Begins with what there is, and tells by a bookmark where that ends. */
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
  /** The reader changes no object: one that shares the server's process is given the server's own, frozen. */
  shared?: boolean;
}

export interface WriteOptions extends CallOptions {
  dryRun?: boolean;
  fieldManager?: string;
  fieldValidation?: "Ignore" | "Warn" | "Strict";
  /** Nobody looks at the answer of a write that succeeds: spares the parsing. */
  unread?: boolean;
}

/** Of a write whose promise resolves with nothing. */
export type Unread = { unread: true };

export interface SubresourceOptions extends WriteOptions {
  /** `status`, `scale`, `finalize` … */
  subresource?: string;
}

export type PatchType = "json" | "merge" | "strategic" | "apply";

export interface PatchOptions extends SubresourceOptions {
  type: PatchType;
  /** Takes fields from other managers; only of apply. */
  force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Orphan" | "Background" | "Foreground";
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
  /** As of WriteOptions. */
  unread?: boolean;
}

export const PATCH_CONTENT: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

const QUERY_NAMES = [
  "labelSelector",
  "fieldSelector",
  "limit",
  "continue",
  "resourceVersion",
  "resourceVersionMatch",
  "allowWatchBookmarks",
  "sendInitialEvents",
  "timeoutSeconds",
  "fieldManager",
  "fieldValidation",
  "force",
] as const;

type Asked = Readonly<
  Partial<Record<(typeof QUERY_NAMES)[number], string | number | boolean>> & { dryRun?: boolean }
>;

export function queryOf(asked: Asked, watch = false): string {
  let query = watch ? "watch=true" : "";
  const add = (name: string, value: string | number | boolean): void => {
    query += `${query === "" ? "" : "&"}${name}=${encodeURIComponent(value)}`;
  };
  for (const name of QUERY_NAMES) {
    const value = asked[name];
    if (value !== undefined && value !== "") add(name, value);
  }
  if (asked.dryRun) add("dryRun", "All");
  return query;
}

/** The body of a DELETE, or undefined where the server's defaults are wanted. */
export function deleteBody(options: DeleteOptions): string | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  if (gracePeriodSeconds === undefined && !propagationPolicy && !preconditions && !dryRun) return undefined;
  return JSON.stringify({
    kind: "DeleteOptions",
    apiVersion: "v1",
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
    dryRun: dryRun ? ["All"] : undefined,
  });
}
