import type { Revision, Span } from "../store.ts";

/** One value a key has had, or the delete that ended it. */
export interface Version {
  modified: Revision;
  /** 0 in a delete. */
  created: Revision;
  deleted: boolean;
  /** Milliseconds since 1970 at which the store deletes it, or 0. */
  expires: number;
  /** Undefined where only the journal has it (and in a delete). */
  value: Uint8Array | undefined;
}

/** A key with the versions that history still holds, oldest first, never empty once in the index. */
export interface Slot {
  readonly key: string;
  readonly order: string;
  readonly versions: Version[];
}

/**
 * A text whose order by `<` is that of the key's UTF-8 bytes: JavaScript compares UTF-16 units, where surrogates sort
 * below U+E000 to U+FFFF though the characters they make sort above. Nearly all keys are returned as they are.
 */
export function orderOf(key: string): string {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) >= 0xd800) return swapSurrogates(key);
  return key;
}

function swapSurrogates(key: string): string {
  let out = "";
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    out += String.fromCharCode(unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
  }
  return out;
}

const CHUNK = 512;

/** All keys with history, by name and in order. Inserting costs a search and a short move, also among many keys. */
export class KeyIndex {
  readonly #byKey = new Map<string, Slot>();
  /** Sorted runs of slots, none of them empty. */
  readonly #chunks: Slot[][] = [];

  get size(): number {
    return this.#byKey.size;
  }

  /** All slots, in order. */
  all(): Slot[] {
    return this.#chunks.flat();
  }

  get(key: string): Slot | undefined {
    return this.#byKey.get(key);
  }

  /** The slot of a key, made when there is none. */
  ensure(key: string): Slot {
    const known = this.#byKey.get(key);
    if (known) return known;
    const slot: Slot = { key, order: orderOf(key), versions: [] };
    this.#byKey.set(key, slot);
    this.#insert(slot);
    return slot;
  }

  remove(slot: Slot): void {
    if (!this.#byKey.delete(slot.key)) return;
    const at = this.#chunkFor(slot.order);
    const chunk = this.#chunks[at]!;
    chunk.splice(placeIn(chunk, slot.order), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Visits the slots of a span in order until `visit` returns false. The index must not change meanwhile. */
  scan(span: Span, visit: (slot: Slot) => boolean): void {
    const from = orderOf(span.from);
    const to = orderOf(span.to);
    let place = -1;
    for (let at = this.#chunkFor(from); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      place = place < 0 ? placeIn(chunk, from) : 0;
      for (; place < chunk.length; place++) {
        const slot = chunk[place]!;
        if (slot.order >= to || !visit(slot)) return;
      }
    }
  }

  #insert(slot: Slot): void {
    if (this.#chunks.length === 0) {
      this.#chunks.push([slot]);
      return;
    }
    const at = Math.min(this.#chunkFor(slot.order), this.#chunks.length - 1);
    const chunk = this.#chunks[at]!;
    chunk.splice(placeIn(chunk, slot.order), 0, slot);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** The first chunk whose last slot is not before `order`; the number of chunks when there is none. */
  #chunkFor(order: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.at(-1)!.order < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where in a sorted chunk `order` stands or would stand. */
function placeIn(chunk: readonly Slot[], order: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunk[middle]!.order < order) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The version that stood at a revision (a delete included), or undefined when the key was not yet there. */
export function versionAt(slot: Slot, at: Revision): Version | undefined {
  for (let i = slot.versions.length - 1; i >= 0; i--) {
    const version = slot.versions[i]!;
    if (version.modified <= at) return version;
  }
  return undefined;
}
