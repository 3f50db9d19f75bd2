import { randomUUID } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import type { Journal, Journaled, LogRecord } from "../mvcc/journal.ts";
import { type MvccOptions, MvccStore } from "../mvcc/mvcc-store.ts";
import { decodeHead, decodeValue, encodeRecord } from "../mvcc/record.ts";
import { type Store, StoreDamaged } from "../store.ts";

export interface MemoryOptions extends MvccOptions {
  /** A snapshot to start from. */
  snapshot?: string;
}

/** A store that lives as long as the process: for tests, where its speed counts more than its memory. */
export async function openMemory(options: MemoryOptions = {}): Promise<Store> {
  const state = options.snapshot
    ? readSnapshot(await readFile(options.snapshot))
    : { revision: 0, compacted: 0, records: [] };
  return new MvccStore(memoryJournal, state, options);
}

/** All values stay with the engine; nothing is left to do. */
const memoryJournal: Journal = {
  name: "memory",
  keepValues: Number.POSITIVE_INFINITY,
  async commit() {},
  read: (at) => {
    throw new Error(`revision ${at} has no value in memory`);
  },
  async snapshot(path, { revision, compacted, records }) {
    const parts: Buffer[] = [Buffer.from(`${MAGIC} ${revision} ${compacted}\n`)];
    for (const record of records()) {
      const bytes = encodeRecord(record);
      const head = Buffer.alloc(12);
      head.writeDoubleLE(record.at, 0);
      head.writeUInt32LE(bytes.length, 8);
      parts.push(head, bytes);
    }
    await writeNew(path, Buffer.concat(parts));
  },
  size: () => 0,
  close: async () => {},
};

const MAGIC = "kybern-memory-1";

/** The file appears under its name only when it is whole. */
async function writeNew(path: string, bytes: Buffer): Promise<void> {
  const partial = `${path}.${randomUUID()}`;
  try {
    const file = await open(partial, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

function readSnapshot(bytes: Buffer): Journaled {
  const end = bytes.indexOf("\n");
  const [magic, revision, compacted] = bytes.toString("latin1", 0, Math.max(end, 0)).split(" ");
  if (magic !== MAGIC) throw new StoreDamaged("the file is not a snapshot of a store in memory");
  const records: LogRecord[] = [];
  for (let at = end + 1; at < bytes.length; ) {
    if (at + 12 > bytes.length) throw new StoreDamaged("the snapshot is cut short: take another one");
    const revision = bytes.readDoubleLE(at);
    const until = at + 12 + bytes.readUInt32LE(at + 8);
    if (until > bytes.length) throw new StoreDamaged("the snapshot is cut short: take another one");
    const record = bytes.subarray(at + 12, until);
    const head = decodeHead(record, revision);
    records.push({ ...head, value: head.deleted ? undefined : decodeValue(record, revision) });
    at = until;
  }
  return { revision: Number(revision), compacted: Number(compacted), records };
}
