/** A step of one object as watchers see it; each encoding of it is made once and shared by all of them. */
import type { Revision } from "../../store/store.ts";
import { CachedObject, spliceRevision } from "./cached-object.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED";

const HEADS = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const TAIL = Buffer.from("}\n");

export class CacheEvent {
  readonly at: Revision;
  /** The object after the step; for a delete its last state, with the delete's revision. */
  readonly object: CachedObject;
  readonly was: CachedObject | undefined;
  readonly deleted: boolean;
  private encoded: Map<string, Uint8Array> | undefined;
  private left: CachedObject | undefined;

  constructor(at: Revision, object: CachedObject, was: CachedObject | undefined, deleted: boolean) {
    this.at = at;
    this.object = object;
    this.was = was;
    this.deleted = deleted;
  }

  /** What the step is to a watcher for which the object matched before (`was`) and matches after (`now`). */
  typeFor(was: boolean, now: boolean): EventType | undefined {
    if (this.deleted) return was ? "DELETED" : undefined;
    if (now) return was ? "MODIFIED" : "ADDED";
    return was ? "DELETED" : undefined;
  }

  /** An object that merely leaves a selection is shown in its old state with the new revision, as upstream does. */
  shown(type: EventType): CachedObject {
    if (type !== "DELETED" || this.deleted || !this.was) return this.object;
    this.left ??= atRevision(this.was, this.at);
    return this.left;
  }

  /** The bytes of the event, made once for each `key`; `shown` is what to encode. */
  bytes(
    key: string,
    type: EventType,
    encode: (type: EventType, shown: CachedObject) => Uint8Array,
  ): Uint8Array {
    const id = key + type;
    this.encoded ??= new Map();
    let bytes = this.encoded.get(id);
    if (!bytes) {
      bytes = encode(type, this.shown(type));
      this.encoded.set(id, bytes);
    }
    return bytes;
  }

  /** Every watcher was told: who asks for it in history pays for its encoding again. */
  told(): void {
    this.encoded = undefined;
    this.left = undefined;
  }
}

/** JSON framing of an event: `{"type":…,"object":…}` and a newline. */
export function jsonEvent(type: EventType, object: Uint8Array): Uint8Array {
  return Buffer.concat([HEADS[type], object, TAIL]);
}

const VERSION = Buffer.from('"resourceVersion":"');

/** The same object under another revision; `parsed` is what is known of it as a value. */
export function atRevision(object: CachedObject, revision: Revision, parsed = object.parsed): CachedObject {
  const { shape, json } = object;
  const from = shape.prefix.length;
  const end = from + VERSION.length + String(object.revision).length + 2;
  const stored = Buffer.concat([json.subarray(0, from), json.subarray(end)]);
  const spliced = spliceRevision(shape, stored, revision);
  const moved = new CachedObject(object.key, revision, spliced, object.facets, shape);
  if (parsed) moved.adopt({ ...parsed, metadata: { ...parsed.metadata } });
  return moved;
}
