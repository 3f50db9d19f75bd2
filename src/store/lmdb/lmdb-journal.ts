import { randomUUID } from "node:crypto";
import { chmodSync, statSync } from "node:fs";
import { link, mkdir, open as openFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { asBinary, type RootDatabase } from "lmdb";
import type { Commit, Journal, Journaled, LogRecord } from "../mvcc/journal.ts";
import { decodeHead, decodeValue, encodeRecord } from "../mvcc/record.ts";
import { type Revision, StoreDamaged, StoreUnavailable } from "../store.ts";

/** Sorts before all records, which have keys of eight bytes. */
const META_KEY = Buffer.of(0);
const META_MAGIC = 0x4b594231;
/** Beyond this a value gets pages of its own. */
const INLINE = 2000;
const PAGE = 4096;
/** Values written last that stay in memory. */
const KEEP_VALUES = 4 << 20;
/**
 * Bytes of the disk that are left alone. LMDB must not be the one to find the disk full: where a write of its pages
 * fails, it tells so in a text that is longer than the memory it takes for it (lmdb 3.5, mdb_page_flush).
 */
const ROOM = 2 << 20;

export interface LmdbPlace {
  /** Of the file. */
  path: string;
  /** Bytes of records it takes. */
  maxSize: number;
  /** Bytes that its disk has left for it. */
  room(): number;
  /** Gives up the directory. */
  unlock(): void;
}

export type Database = RootDatabase<Buffer, Uint8Array>;

/** The records under their revisions, and one entry that says how far they go, in one LMDB tree. */
export class LmdbJournal implements Journal {
  readonly name = "lmdb";
  readonly keepValues = KEEP_VALUES;
  readonly #db: Database;
  readonly #place: LmdbPlace;
  /** The bytes of each record on disk, so that forgetting is counted, too. */
  readonly #sizes = new Map<Revision, number>();
  #used = 0;
  #revision: Revision = 0;
  #broken: StoreUnavailable | undefined;

  constructor(db: Database, place: LmdbPlace) {
    this.#db = db;
    this.#place = place;
  }

  /** What the file holds. Values are verified as long as `verifyMs` lasts; the rest when they are read. */
  async load(verifyMs: number): Promise<Journaled> {
    const meta = this.#readMeta();
    if (!meta) {
      const first = { records: [], forget: [], revision: 0, compacted: 0 };
      await this.commit(first);
      return first;
    }
    this.#revision = meta.revision;
    return { ...meta, records: this.#readAll(performance.now() + verifyMs) };
  }

  *#readAll(verifyUntil: number): Iterable<LogRecord> {
    for (const { key, value } of this.#db.getRange({ start: revisionKey(0) })) {
      const at = Number(Buffer.from(key).readBigUInt64BE());
      const head = decodeHead(value, at);
      if (performance.now() < verifyUntil) decodeValue(value, at);
      this.#account(at, value.length);
      yield head;
    }
  }

  async commit({ records, forget, revision, compacted }: Commit): Promise<void> {
    if (this.#broken) throw this.#broken;
    const encoded = records.map(encodeRecord);
    this.#makeSure(records, encoded);
    const written = this.#db.batch(() => {
      for (let i = 0; i < records.length; i++) {
        this.#db.put(revisionKey(records[i]!.at), asBinary(encoded[i]!) as unknown as Buffer);
      }
      for (const at of forget) this.#db.remove(revisionKey(at));
      this.#db.put(META_KEY, asBinary(encodeMeta(revision, compacted)) as unknown as Buffer);
    });
    try {
      await written;
    } catch (error) {
      throw await this.#failed(error);
    }
    this.#revision = revision;
    for (let i = 0; i < records.length; i++) this.#account(records[i]!.at, encoded[i]!.length);
    for (const at of forget) this.#discount(at);
  }

  /** Deletes are let through beyond the limit: they are the way back below it. */
  #makeSure(records: readonly LogRecord[], encoded: readonly Buffer[]): void {
    let wanted = this.#used;
    let grows = false;
    for (let i = 0; i < records.length; i++) {
      wanted += storedSize(encoded[i]!.length);
      if (!records[i]!.deleted) grows = true;
    }
    if (!grows) return;
    const { path, maxSize } = this.#place;
    if (wanted > maxSize) {
      throw new StoreUnavailable(
        `the store is full (${maxSize} bytes): compact its history, delete objects or raise its limit`,
      );
    }
    if (!this.#hasRoom(wanted)) {
      throw new StoreUnavailable(
        `the store cannot write to ${path}: no space left on device; free some, or delete objects`,
      );
    }
  }

  /** On the disk, or in the file, whose free pages are used again. They lie apart from each other: some cannot be used. */
  #hasRoom(wanted: number): boolean {
    if (this.#place.room() >= ROOM) return true;
    const size = this.size();
    return size - wanted >= Math.max(ROOM, size / 8);
  }

  /** Whether the file is still as before decides whether the journal may go on. */
  async #failed(error: unknown): Promise<StoreUnavailable> {
    const cause = await commitError(error);
    const why = `the store cannot write to ${this.#place.path}: ${cause.message}`;
    let standing: Revision | undefined;
    try {
      this.#db.resetReadTxn();
      standing = this.#readMeta()?.revision ?? 0;
    } catch {
      standing = undefined;
    }
    if (standing === this.#revision) return new StoreUnavailable(why, { cause });
    this.#broken = new StoreUnavailable(`${why}; restart to see what was kept`, { maybe: true, cause });
    return this.#broken;
  }

  read(at: Revision): Uint8Array {
    const bytes = this.#db.getBinary(revisionKey(at));
    if (!bytes)
      throw new StoreDamaged(`the record of revision ${at} is missing: put a copy of the store back`);
    return decodeValue(bytes, at);
  }

  async snapshot(path: string): Promise<void> {
    // The copy is made where nobody else can look, and appears under its name only when it is whole.
    const folder = join(dirname(path), `.snapshot-${randomUUID()}`);
    const partial = join(folder, "data.mdb");
    await mkdir(folder, { mode: 0o700 });
    try {
      await this.#db.backup(partial, true);
      chmodSync(partial, 0o600);
      const file = await openFile(partial, "r+");
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await link(partial, path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  size(): number {
    return statSync(this.#place.path).size;
  }

  async close(): Promise<void> {
    try {
      await this.#db.close();
    } finally {
      this.#place.unlock();
    }
  }

  #readMeta(): { revision: Revision; compacted: Revision } | undefined {
    const bytes = this.#db.getBinary(META_KEY);
    if (!bytes) return undefined;
    if (
      bytes.length !== 24 ||
      bytes.readUInt32LE(0) !== META_MAGIC ||
      bytes.readUInt32LE(4) !== crc32(bytes.subarray(8))
    ) {
      throw new StoreDamaged(
        `the store's file ${this.#place.path} is damaged (its state entry): put a copy of it back, or move it away to begin anew`,
      );
    }
    return { revision: bytes.readDoubleLE(8), compacted: bytes.readDoubleLE(16) };
  }

  #account(at: Revision, length: number): void {
    const size = storedSize(length);
    this.#sizes.set(at, size);
    this.#used += size;
  }

  #discount(at: Revision): void {
    this.#used -= this.#sizes.get(at) ?? 0;
    this.#sizes.delete(at);
  }
}

function revisionKey(at: Revision): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeUInt32BE(Math.floor(at / 0x1_0000_0000), 0);
  key.writeUInt32BE(at % 0x1_0000_0000, 4);
  return key;
}

function encodeMeta(revision: Revision, compacted: Revision): Buffer {
  const bytes = Buffer.allocUnsafeSlow(24);
  bytes.writeUInt32LE(META_MAGIC, 0);
  bytes.writeDoubleLE(revision, 8);
  bytes.writeDoubleLE(compacted, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** What a record takes in the file, with its share of the tree. */
function storedSize(length: number): number {
  return length > INLINE ? Math.ceil((length + 24) / PAGE) * PAGE + 48 : length + 24;
}

/** lmdb gives the reason in a promise of its own. */
async function commitError(error: unknown): Promise<Error> {
  const reason = (error as { commitError?: Promise<never> }).commitError;
  try {
    await reason;
  } catch (why) {
    if (why instanceof Error) return why;
  }
  return error instanceof Error ? error : new Error(String(error));
}
