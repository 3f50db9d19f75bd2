/**
 * Answers /openapi/v2 and /openapi/v3. An OpenAPI is a picture of one set of resources; when custom resources come or
 * go, the server makes a new one. Documents are made at first request, in slices that leave the event loop to others,
 * and kept.
 */
import { createHash } from "node:crypto";
import { documentMessage, documentText, type GroupVersion, type Source } from "./documents.ts";
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
  const document = (key: string, parts: () => Iterable<string | Uint8Array>) => {
    let found = kept.get(key);
    if (!found) {
      found = write(parts(), pacing);
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
        if (acceptsJSON(accept)) {
          return conditional(await document("v2", () => documentText(source, 2)), ifNoneMatch);
        }
        if (!PROTOBUF.some((type) => accepts(accept, type))) return { status: 406, headers: {} };
        const found = await document("v2.protobuf", () => documentMessage(source));
        return conditional(found, ifNoneMatch, { type: PROTOBUF[0] });
      }
      if (path === "/openapi/v3") return conditional(await index(), ifNoneMatch);
      const served = versions.find((version) => path === `/openapi/v3${rootOf(version)}`);
      if (!served) return undefined;
      if (!acceptsJSON(accept)) return { status: 406, headers: {} };
      const found = await v3(served);
      if (!hash) return conditional(found, ifNoneMatch);
      if (hash !== found.hash) return { status: 301, headers: { Location: `${path}?hash=${found.hash}` } };
      return conditional(found, ifNoneMatch, { caching: "public, immutable" });
    },
  };
}

/** The type that is answered, and the one that Go clients ask for, which a `@` makes no valid media type. */
const PROTOBUF = [
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
] as const;

function accepts(accept: string | undefined, type: string): boolean {
  return (accept ?? "").split(",").some((clause) => clause.split(";", 1)[0]?.trim() === type);
}

function acceptsJSON(accept: string | undefined): boolean {
  return !accept || ["application/json", "*/*", "application/*"].some((type) => accepts(accept, type));
}

function conditional(
  { body, hash }: Document,
  known: string | undefined,
  { type = "application/json", caching = "no-cache, private" } = {},
): OpenAPIAnswer {
  const headers: Record<string, string> = { ETag: `"${hash}"`, "Cache-Control": caching, Vary: "Accept" };
  if (known === headers.ETag) return { status: 304, headers };
  return { status: 200, headers: { "Content-Type": type, ...headers }, body };
}

async function write(
  parts: Iterable<string | Uint8Array>,
  { slice, clock, pause }: Pacing,
): Promise<Document> {
  const chunks: Uint8Array[] = [];
  const digest = createHash("sha512");
  let text = "";
  let began = clock();
  const flush = () => {
    if (text !== "") add(Buffer.from(text));
    text = "";
  };
  const add = (chunk: Uint8Array) => {
    digest.update(chunk);
    chunks.push(chunk);
  };
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else add(part);
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
