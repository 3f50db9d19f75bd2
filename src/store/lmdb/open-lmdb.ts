import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { open } from "lmdb";
import { type MvccOptions, MvccStore } from "../mvcc/mvcc-store.ts";
import { type Store, StoreDamaged } from "../store.ts";
import { checkLmdbFile } from "./check-file.ts";
import { lockDirectory } from "./directory-lock.ts";
import { type Database, LmdbJournal } from "./lmdb-journal.ts";

export interface LmdbOptions extends MvccOptions {
  /** The store's own directory; made when missing. */
  directory: string;
  /** Bytes of records it takes before it refuses creates and updates. */
  maxSize?: number;
  /** Bytes that the directory's disk has left; asked before every commit. By default the system tells. */
  room?: () => number;
  /** How long opening may take to verify all values, in milliseconds; what is left is verified when it is read. */
  verifyMs?: number;
}

const MAX_SIZE = 8 * 2 ** 30;
const DATA = "data.mdb";
/** Says that the directory had a store once, so that a lost file is not taken for a new store. */
const MARKER = "format";

/**
 * The embedded store. Throws StoreUnavailable while another process has it open, StoreDamaged when its file is not
 * whole.
 */
export async function openLmdb(options: LmdbOptions): Promise<Store> {
  const { directory, maxSize = MAX_SIZE, verifyMs = 2000 } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const unlock = lockDirectory(directory);
  try {
    const path = join(directory, DATA);
    prepare(path, join(directory, MARKER));
    const room = options.room ?? (() => roomBelow(directory));
    const journal = new LmdbJournal(openDatabase(path, maxSize), { path, maxSize, room, unlock });
    try {
      const state = await journal.load(verifyMs);
      writeFileSync(join(directory, MARKER), "1\n", { mode: 0o600 });
      return new MvccStore(journal, state, options);
    } catch (error) {
      await journal.close();
      throw error;
    }
  } catch (error) {
    unlock();
    throw error;
  }
}

function roomBelow(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function prepare(path: string, marker: string): void {
  const empty = !existsSync(path) || statSync(path).size === 0;
  if (empty && existsSync(marker)) {
    throw new StoreDamaged(`the store's file ${path} is missing or empty: put a copy of it back`);
  }
  if (!empty) checkLmdbFile(path);
  // Made here because LMDB would let others read them.
  for (const file of [path, `${path}-lock`]) {
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
  }
}

function openDatabase(path: string, maxSize: number): Database {
  return open<Buffer, Uint8Array>({
    path,
    noSubdir: true,
    encoding: "binary",
    keyEncoding: "binary",
    // Room for pages that are free but not yet used again, and for the tree itself.
    mapSize: Math.ceil((maxSize * 1.5 + (64 << 20)) / 65536) * 65536,
    // A write is then durable when its promise resolves, and a commit that fails leaves the file as it was.
    overlappingSync: false,
    eventTurnBatching: false,
    maxDbs: 1,
  });
}

/** Puts a snapshot where openLmdb will find it. The directory must not hold a store. */
export async function restoreLmdb({
  snapshot,
  directory,
}: {
  snapshot: string;
  directory: string;
}): Promise<void> {
  checkLmdbFile(snapshot);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, DATA);
  await copyFile(snapshot, path, constants.COPYFILE_EXCL);
  chmodSync(path, 0o600);
}
