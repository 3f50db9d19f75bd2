/**
 * JSON patch (RFC 6902) with the limits of kube-apiserver. Where an operation cannot be applied the client learns no
 * more than that (422), as upstream; a patch that is none is a BadRequest.
 */
import { isDeeper } from "../json/depth.ts";
import { deepEqual } from "../json/equal.ts";
import { parseJSON, stringify } from "../json/json.ts";
import { isObject, type JsonObject, own, put } from "../json/json-object.ts";
import { jsonTypeOf } from "../json/json-type.ts";
import { badRequest, StatusError, tooLarge } from "../status/status-error.ts";

const MAX_OPERATIONS = 10_000;
/** What all `copy` operations of a patch may add together, so that doubling does not fill the memory. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** 422 as upstream answers where a patch does not apply; `why` is for the server's log only. */
export function doesNotApply(why: string): StatusError {
  return new StatusError(
    "Invalid",
    "the server rejected our request due to an error in our request",
    {},
    undefined,
    new Error(why),
  );
}

/** The document after `operations`. The document is not changed; what no operation touches is shared. */
export function jsonPatch(document: JsonObject, operations: unknown): JsonObject {
  if (!Array.isArray(operations)) {
    throw badRequest(
      `json: cannot unmarshal ${jsonTypeOf(operations)} into Go value of type jsonpatch.Patch`,
    );
  }
  if (operations.length > MAX_OPERATIONS) {
    throw tooLarge(
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  }
  const draft = new Draft(document);
  for (const operation of operations) {
    if (!isObject(operation)) {
      throw badRequest(
        `json: cannot unmarshal ${jsonTypeOf(operation)} into Go value of type jsonpatch.Operation`,
      );
    }
    draft.apply(operation);
  }
  return draft.root;
}

type Container = JsonObject | unknown[];

/** A document under change: each container is copied once, before its first change. */
class Draft {
  root: JsonObject;
  /** The containers that were made here and may be changed in place; each is reachable on one path only. */
  private readonly made = new Set<unknown>();
  private copied = 0;

  constructor(document: JsonObject) {
    this.root = document;
  }

  apply(operation: JsonObject): void {
    const path = pointer(operation, "path");
    switch (own(operation, "op")) {
      case "add":
        this.add(path, valueIn(operation));
        break;
      case "remove":
        this.remove(path);
        break;
      case "replace":
        this.replace(path, valueIn(operation));
        break;
      case "move": {
        const from = pointer(operation, "from");
        if (path.length > from.length && from.every((part, i) => part === path[i])) {
          throw doesNotApply("move into itself");
        }
        this.add(path, this.remove(from));
        break;
      }
      case "copy":
        this.add(path, this.copyOf(this.get(pointer(operation, "from"))));
        break;
      case "test":
        this.test(path, own(operation, "value"));
        break;
      default:
        throw doesNotApply(`unexpected kind: ${String(own(operation, "op"))}`);
    }
  }

  private get(path: readonly string[]): unknown {
    let at: unknown = this.root;
    for (const part of path) {
      if (Array.isArray(at)) at = at[indexIn(part, at.length)];
      else if (isObject(at) && Object.hasOwn(at, part)) at = at[part];
      else throw doesNotApply("missing path");
    }
    return at;
  }

  /** The container that holds the last part of the path, free to be changed. */
  private holder(path: readonly string[]): Container {
    let at: Container = this.writable(this.root, (copy) => {
      this.root = copy as JsonObject;
    });
    for (const part of path.slice(0, -1)) {
      const above: Container = at;
      if (Array.isArray(above)) {
        const i = indexIn(part, above.length);
        at = this.writable(above[i], (copy) => {
          above[i] = copy;
        });
      } else {
        at = this.writable(own(above, part), (copy) => put(above, part, copy));
      }
    }
    return at;
  }

  private writable(value: unknown, replace: (copy: Container) => void): Container {
    if (!Array.isArray(value) && !isObject(value)) throw doesNotApply("missing path");
    if (this.made.has(value)) return value as Container;
    const copy: Container = Array.isArray(value) ? value.slice() : { ...(value as JsonObject) };
    this.made.add(copy);
    replace(copy);
    return copy;
  }

  private add(path: readonly string[], value: unknown): void {
    const holder = this.holder(path);
    const last = path[path.length - 1]!;
    if (!Array.isArray(holder)) put(holder, last, value);
    else if (last === "-") holder.push(value);
    else holder.splice(indexIn(last, holder.length + 1), 0, value);
  }

  private remove(path: readonly string[]): unknown {
    const holder = this.holder(path);
    const last = path[path.length - 1]!;
    if (Array.isArray(holder)) return holder.splice(indexIn(last, holder.length), 1)[0];
    if (!Object.hasOwn(holder, last)) throw doesNotApply("unable to remove nonexistent key");
    const value = holder[last];
    delete holder[last];
    return value;
  }

  private replace(path: readonly string[], value: unknown): void {
    const holder = this.holder(path);
    const last = path[path.length - 1]!;
    if (Array.isArray(holder)) holder[indexIn(last, holder.length)] = value;
    else if (Object.hasOwn(holder, last)) put(holder, last, value);
    else throw doesNotApply("missing key");
  }

  private test(path: readonly string[], expected: unknown): void {
    const holder = this.get(path.slice(0, -1));
    const last = path[path.length - 1]!;
    let value: unknown;
    if (Array.isArray(holder)) value = holder[indexIn(last, holder.length)];
    else if (isObject(holder)) value = own(holder, last);
    else throw doesNotApply("missing path");
    if (!deepEqual(value ?? null, expected ?? null)) throw doesNotApply("testing value failed");
  }

  private copyOf(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    // Earlier operations may have put deep values into each other.
    if (isDeeper(value)) throw doesNotApply("exceeded max depth");
    const text = stringify(value);
    this.copied += new TextEncoder().encode(text).length;
    if (this.copied > MAX_COPIED_BYTES) throw doesNotApply("accumulated size of copies exceeds the limit");
    return parseJSON(text);
  }
}

/** As upstream's library has it: an operation without a value has the value null. */
function valueIn(operation: JsonObject): unknown {
  return own(operation, "value") ?? null;
}

function pointer(operation: JsonObject, member: "path" | "from"): string[] {
  const text = own(operation, member);
  if (typeof text !== "string") throw doesNotApply(`operation without ${member}`);
  const parts = text.split("/").slice(1);
  // Upstream has no operations on the document as a whole.
  if (parts.length === 0) throw doesNotApply("doc is missing path");
  return text.includes("~") ? parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")) : parts;
}

/** An index below `length`; -1 is the last, as upstream allows. */
function indexIn(part: string, length: number): number {
  const start = part.startsWith("-") || part.startsWith("+") ? 1 : 0;
  if (part.length === start || part.length > 10) throw doesNotApply("invalid array index");
  for (let i = start; i < part.length; i++) {
    const c = part.charCodeAt(i);
    if (c < 48 || c > 57) throw doesNotApply("invalid array index");
  }
  let index = Number(part);
  if (index < 0) index += length;
  if (index < 0 || index >= length) throw doesNotApply("index out of bounds");
  return index;
}
