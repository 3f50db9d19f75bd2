/**
 * What a list returns: the objects of one revision that are selected, in the order of their keys, in pages.
 * The rules of resourceVersion and resourceVersionMatch are those of
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 */
import { badRequest, expired, StatusError } from "../../machinery/status/status-error.ts";
import { Compacted, FutureRevision, type Revision } from "../../store/store.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { OrderedMap } from "../watch-cache/ordered-map.ts";
import { onlyKey, type Selection, selects } from "../watch-cache/selection.ts";
import { storePrefix } from "../watch-cache/watch-cache.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import type { Registry, Served } from "./registry.ts";

export interface ListOptions {
  resourceVersion: string;
  resourceVersionMatch: string;
  /** 0 means all. */
  limit: number;
  continue: string;
}

export interface Listed {
  revision: Revision;
  items: CachedObject[];
  continue: string;
  remaining: number | undefined;
}

/** How long a request waits for a revision that the server has not seen yet (upstream: 3 s). */
const WAIT = 3000;

const CONTINUE_EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
const VERSION_EXPIRED = "The resourceVersion for the provided list is too old.";

export async function list(
  registry: Registry,
  served: Served,
  selection: Selection,
  options: ListOptions,
): Promise<Listed> {
  const { objects, revision, start } = await pictureOf(registry, served, options);
  const few =
    objects === registry.cache.cache(served.resource).objects
      ? narrowed(registry, served, selection)
      : undefined;
  if (few) return pageOf(few, revision, selection, start, options.limit);
  const only = onlyKey(served.resource, selection);
  if (only === undefined) return pageOf(objects, revision, selection, start, options.limit);
  const object = objects.get(only);
  const items = object && selects(selection, object) ? [object] : [];
  return { revision, items, continue: "", remaining: undefined };
}

/** From this share of all objects on, going through all in order beats sorting the few. */
const FEW = 1 / 8;

/** The objects that have the label a selection asks for, where they are few. */
function narrowed(
  registry: Registry,
  served: Served,
  { label }: Selection,
): OrderedMap<CachedObject> | undefined {
  if (!label) return undefined;
  const cache = registry.cache.cache(served.resource);
  const found = cache.withLabel(label.key, label.value);
  if (!found || found.size > cache.objects.size * FEW) return undefined;
  const sorted = [...found].sort((a, b) => (a.key < b.key ? -1 : 1));
  return OrderedMap.fromSorted(sorted.map((object) => [object.key, object] as const));
}

interface Picture {
  objects: OrderedMap<CachedObject>;
  revision: Revision;
  /** The key to start at, from a continue token. */
  start: string;
}

async function pictureOf(registry: Registry, served: Served, options: ListOptions): Promise<Picture> {
  const cache = registry.cache.cache(served.resource);
  if (options.continue !== "") {
    const token = decodeContinue(options.continue);
    if (token.revision < 0) {
      // A client that lost its revision asks to go on at the newest one, and knows that the list is not consistent.
      const waited = registry.cache.fresh();
      if (waited) await waited;
      return { objects: cache.objects, revision: registry.cache.revision, start: token.start };
    }
    const objects = await exactly(registry, served, token.revision, () => continueExpired(token.start));
    return { objects, revision: token.revision, start: token.start };
  }
  const { resourceVersion: version, resourceVersionMatch: match } = options;
  if (version === "" || version === "0") {
    const waited = version === "" ? registry.cache.fresh() : undefined;
    if (waited) await waited;
    return { objects: cache.objects, revision: registry.cache.revision, start: "" };
  }
  const asked = parseRevision(version);
  await waitFor(registry, asked);
  if (match === "Exact" || (match === "" && options.limit > 0)) {
    const objects = await exactly(registry, served, asked, () => expired(VERSION_EXPIRED));
    return { objects, revision: asked, start: "" };
  }
  return { objects: cache.objects, revision: registry.cache.revision, start: "" };
}

export function parseRevision(text: string): Revision {
  const revision = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(revision)) {
    throw badRequest(
      `invalid resource version "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  }
  return revision;
}

/** Waits until the cache has reached `revision`; 504 where it does not in time, as upstream's ResourceVersionTooLarge. */
export async function waitFor(registry: Registry, revision: Revision): Promise<void> {
  if (registry.cache.revision >= revision) return;
  const late = new AbortController();
  const cancel = registry.setTimer(WAIT, () => late.abort());
  const reached = await registry.cache.reachedBefore(revision, late.signal);
  cancel();
  if (reached) return;
  const message = `Timeout: Too large resource version: ${revision}, current: ${registry.cache.revision}`;
  throw new StatusError("Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

/** The objects at a revision that has happened; from the store where the cache does not reach back. */
async function exactly(
  registry: Registry,
  served: Served,
  revision: Revision,
  tooOld: () => StatusError,
): Promise<OrderedMap<CachedObject>> {
  const cache = registry.cache.cache(served.resource);
  const known = cache.at(revision);
  if (known) return known;
  const prefix = storePrefix(served.resource);
  try {
    const { entries } = await registry.store.range(
      { from: prefix, to: `${prefix.slice(0, -1)}0` },
      { at: revision },
    );
    return OrderedMap.fromSorted(entries.map((entry) => cache.cached(entry)).map((o) => [o.key, o] as const));
  } catch (error) {
    if (error instanceof Compacted || error instanceof FutureRevision) throw tooOld();
    throw error;
  }
}

/** 410 with a token that goes on at the newest revision, for clients that can live with an inconsistent list. */
function continueExpired(start: string): StatusError {
  const error = expired(CONTINUE_EXPIRED);
  const token = encodeContinue({ revision: -1, start });
  return Object.assign(error, { listMeta: { continue: token } });
}

function pageOf(
  objects: OrderedMap<CachedObject>,
  revision: Revision,
  selection: Selection,
  start: string,
  limit: number,
): Listed {
  const [first, end] =
    selection.namespace === "" ? ["", ""] : [`${selection.namespace}/`, `${selection.namespace}0`];
  const from = start > first ? start : first;
  const items: CachedObject[] = [];
  let next = "";
  const { matches, name } = selection;
  // Namespace and order are given by the span: only what is left of the selection is tested.
  const test = name === undefined ? matches : (object: CachedObject) => selects(selection, object);
  objects.visit(from, end, (object, key) => {
    if (test !== undefined && !test(object)) return true;
    if (limit > 0 && items.length === limit) {
      next = key;
      return false;
    }
    items.push(object);
    return true;
  });
  if (next === "") return { revision, items, continue: "", remaining: undefined };
  const filtered = matches !== undefined || name !== undefined;
  const remaining = filtered ? undefined : objects.count(next, end);
  return { revision, items, continue: encodeContinue({ revision, start: next }), remaining };
}
