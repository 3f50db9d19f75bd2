/**
 * Answers discovery requests. A Discovery is a picture of one set of resources: when custom resources or aggregated
 * servers come or go, the server makes a new one. Bodies are made at first request and kept.
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import {
  type AggregatedVersion,
  acceptedForm,
  aggregatedContentType,
  aggregatedDiscovery,
} from "./aggregated.ts";
import { apiGroupDocument, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";
import { type DiscoveredGroup, discoverGroups } from "./groups.ts";

export interface DiscoveryRequest {
  /** Without query; a trailing slash is ignored. */
  path: string;
  accept?: string;
  ifNoneMatch?: string;
  /** `host:port` for /api. */
  serverAddress: string;
}

/** `body` is absent with 304. The aggregated form has an ETag, the first form none, as upstream. */
export interface DiscoveryAnswer {
  status: 200 | 304;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
}

export interface Discovery {
  readonly groups: readonly DiscoveredGroup[];
  /** Undefined where the path is none of discovery's. */
  answer(request: DiscoveryRequest): DiscoveryAnswer | undefined;
}

/** `more` are groups that other servers serve (aggregation), already as a model. */
export function makeDiscovery(
  resources: Iterable<Resource<KubeObject>>,
  more: readonly DiscoveredGroup[] = [],
): Discovery {
  const groups = [...discoverGroups(resources), ...more];
  const core = groups.filter(({ name }) => name === "");
  const named = groups.filter(({ name }) => name !== "");
  const kept = new Map<string, { body: Uint8Array; etag: string }>();
  const keep = (key: string, make: () => unknown) => {
    let found = kept.get(key);
    if (!found) {
      const body = encoded(make());
      const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
      found = { body, etag };
      kept.set(key, found);
    }
    return found;
  };
  const aggregated = (root: string, part: DiscoveredGroup[], version: AggregatedVersion, known?: string) => {
    const { body, etag } = keep(`${root} ${version}`, () => aggregatedDiscovery(part, version));
    const headers = { ETag: etag, "Cache-Control": "public", Vary: "Accept" };
    if (known === etag) return { status: 304, headers } as const;
    return {
      status: 200,
      headers: { "Content-Type": aggregatedContentType(version), ...headers },
      body,
    } as const;
  };
  const plain = (key: string, make: () => unknown, headers: Record<string, string> = {}) =>
    ({
      status: 200,
      headers: { "Content-Type": "application/json", ...headers },
      body: keep(key, make).body,
    }) as const;

  return {
    groups,
    answer({ path: asked, accept, ifNoneMatch, serverAddress }) {
      const path = asked.endsWith("/") && asked.length > 1 ? asked.slice(0, -1) : asked;
      if (path === "/api" || path === "/apis") {
        const part = path === "/api" ? core : named;
        const version = acceptedForm(accept);
        if (version) return aggregated(path, part, version, ifNoneMatch);
        const vary = { Vary: "Accept" };
        if (path === "/apis") return plain(path, () => apiGroupList(named), vary);
        // Not kept: the address is the client's to choose.
        const body = encoded(apiVersions(core[0], serverAddress));
        return { status: 200, headers: { "Content-Type": "application/json", ...vary }, body };
      }
      const [, root, ...rest] = path.split("/");
      const isCore = root === "api";
      if ((!isCore && root !== "apis") || rest.length !== (isCore ? 1 : rest.length === 1 ? 1 : 2))
        return undefined;
      const group = isCore ? core[0] : named.find(({ name }) => name === rest[0]);
      if (!group) return undefined;
      if (!isCore && rest.length === 1) return plain(path, () => apiGroupDocument(group));
      const version = group.versions.find((v) => v.version === rest.at(-1));
      return version && plain(path, () => apiResourceList(group.name, version));
    },
  };
}

function encoded(document: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(document)}\n`);
}
