/**
 * Answers /openapi/v2 and /openapi/v3. An OpenAPI is a picture of one set of resources; when custom resources come or
 * go, the server makes a new one. Documents are made at first request, in slices that leave the event loop to others,
 * and kept.
 */
import { createHash } from "node:crypto";
import { documentText, type GroupVersion, type Source } from "./documents.ts";
import { rootOf } from "./operations.ts";

export interface OpenAPIRequest {
  /** Without query. */
  path: string;
  /** The `hash` of the query. */
  hash?: string;
  accept?: string;
  ifNoneMatch?: string;
}

export interface OpenAPIAnswer {
  status: 200 | 301 | 304 | 406;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
}

export interface OpenAPI {
  /** Undefined where the path is none of OpenAPI's. */
  answer(request: OpenAPIRequest): Promise<OpenAPIAnswer | undefined>;
}

export interface Pacing {
  /** Milliseconds that one turn of the event loop may be used for. */
  slice: number;
  /** A clock in milliseconds. */
  clock(): number;
  /** Resolves in a later turn. */
  pause(): Promise<void>;
}

const DEFAULT_PACING: Pacing = {
  slice: 4,
  clock: () => performance.now(),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
};

interface Document {
  body: Uint8Array;
  hash: string;
}

export function makeOpenAPI(source: Source, pacing: Pacing = DEFAULT_PACING): OpenAPI {
  const kept = new Map<string, Promise<Document>>();
  const document = (key: string, text: () => Iterable<string>) => {
    let found = kept.get(key);
    if (!found) {
      found = write(text(), pacing);
      // A failure must not stay: the next request tries again.
      found.catch(() => kept.delete(key));
      kept.set(key, found);
    }
    return found;
  };
  const versions = groupVersionsOf(source);
  const v3 = (served: GroupVersion) => document(rootOf(served), () => documentText(source, 3, served));
  const index = async () => {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const served of versions) {
      const { hash } = await v3(served);
      const path = rootOf(served).slice(1);
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
    }
    return document("index", () => [JSON.stringify({ paths })]);
  };
  return {
    async answer({ path, hash, accept, ifNoneMatch }) {
      if (path === "/openapi/v2") {
        if (!acceptsJSON(accept)) return { status: 406, headers: {} };
        return conditional(await document("v2", () => documentText(source, 2)), ifNoneMatch);
      }
      if (path === "/openapi/v3") return conditional(await index(), ifNoneMatch);
      const served = versions.find((version) => path === `/openapi/v3${rootOf(version)}`);
      if (!served) return undefined;
      if (!acceptsJSON(accept)) return { status: 406, headers: {} };
      const found = await v3(served);
      if (!hash) return conditional(found, ifNoneMatch);
      if (hash !== found.hash) return { status: 301, headers: { Location: `${path}?hash=${found.hash}` } };
      return conditional(found, ifNoneMatch, "public, immutable");
    },
  };
}

/** Whether JSON is among what is accepted; a client that takes only the old protobuf form is answered 406. */
function acceptsJSON(accept: string | undefined): boolean {
  if (!accept) return true;
  return accept.split(",").some((clause) => {
    const type = clause.split(";", 1)[0]?.trim();
    return type === "application/json" || type === "*/*" || type === "application/*";
  });
}

function conditional(
  { body, hash }: Document,
  known: string | undefined,
  caching = "no-cache, private",
): OpenAPIAnswer {
  const headers: Record<string, string> = { ETag: `"${hash}"`, "Cache-Control": caching, Vary: "Accept" };
  if (known === headers.ETag) return { status: 304, headers };
  return { status: 200, headers: { "Content-Type": "application/json", ...headers }, body };
}

async function write(parts: Iterable<string>, { slice, clock, pause }: Pacing): Promise<Document> {
  const chunks: Buffer[] = [];
  const digest = createHash("sha512");
  let text = "";
  let began = clock();
  const flush = () => {
    const chunk = Buffer.from(text);
    digest.update(chunk);
    chunks.push(chunk);
    text = "";
  };
  for (const part of parts) {
    text += part;
    if (clock() - began < slice) continue;
    flush();
    await pause();
    began = clock();
  }
  flush();
  return { body: Buffer.concat(chunks), hash: digest.digest("hex").toUpperCase() };
}

function groupVersionsOf({ resources }: Source): GroupVersion[] {
  const found = new Map<string, GroupVersion>();
  for (const resource of resources) {
    for (const { group, version } of [resource, ...resource.alternates]) {
      found.set(rootOf({ group, version }), { group, version });
    }
  }
  return [...found.keys()].sort().map((root) => found.get(root) as GroupVersion);
}
