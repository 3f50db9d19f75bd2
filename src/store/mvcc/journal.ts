import type { Revision } from "../store.ts";

/** One write as it is kept. */
export interface LogRecord {
  at: Revision;
  key: string;
  created: Revision;
  deleted: boolean;
  expires: number;
  /** Absent in a delete, and where the journal reads values only on demand. */
  value: Uint8Array | undefined;
}

/** What becomes durable together, or not at all. */
export interface Commit {
  records: readonly LogRecord[];
  /** Revisions whose records history no longer needs. */
  forget: readonly Revision[];
  revision: Revision;
  compacted: Revision;
}

/** Where the engine keeps its records. Only one commit is under way at a time. */
export interface Journal {
  readonly name: string;
  /** Bytes of newest values the engine keeps in memory so as not to read them back. */
  readonly keepValues: number;
  /**
   * Resolves once everything is durable. Rejects with StoreUnavailable when nothing was written, and with its `maybe`
   * set when that cannot be told; from then on it takes nothing more.
   */
  commit(commit: Commit): Promise<void>;
  /** The value of a record that was committed and not forgotten. Throws StoreDamaged. */
  read(at: Revision): Uint8Array;
  /** Writes a copy that the backend can open; `records` lists all there is, in order of revisions. */
  snapshot(
    path: string,
    state: { revision: Revision; compacted: Revision; records(): Iterable<LogRecord> },
  ): Promise<void>;
  size(): number;
  close(): Promise<void>;
}

/** What a journal held when it was opened. Records come in the order of revisions. */
export interface Journaled {
  revision: Revision;
  compacted: Revision;
  records: Iterable<LogRecord>;
}
