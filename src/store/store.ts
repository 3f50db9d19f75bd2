/**
 * A key space with history: what the API server keeps its objects in.
 *
 * Keys are `/registry/<resource>/<namespace>/<name>` as upstream; values are bytes the store never looks into. Each
 * successful write takes the next revision. In the embedded backends revisions have no gaps; over etcd other writers
 * may take some.
 */

/** A position in the history. 2^53 writes outlive any cluster. */
export type Revision = number;

export interface Entry {
  key: string;
  value: Uint8Array;
  /** The revision of the write that created the key (again, after a delete). */
  created: Revision;
  /** The revision of the last write of the key. */
  modified: Revision;
}

/**
 * One key's step. No `now` means deleted; no `was` means created (or that the old value was compacted away). `was` may
 * be read from disk at the moment it is asked for: an observer that wants it takes it while it is being told.
 */
export interface Change {
  key: string;
  now?: Entry;
  was?: Entry;
  /** The revision of this step: `now.modified`, or that of the delete. */
  at: Revision;
}

/** Keys from `from` (inclusive) to `to` (exclusive), in the order of their UTF-8 bytes. */
export interface Span {
  from: string;
  to: string;
}

export interface Page {
  /** The revision the page is a picture of. */
  at: Revision;
  entries: Entry[];
  /** Whether the span holds more than `limit` let through. */
  more: boolean;
}

export interface Write {
  key: string;
  /** Absent: delete. The store keeps it and tells it on as it is: nobody may change it afterwards. */
  value?: Uint8Array;
  /** The `modified` the key must have now; 0 means "must not exist". */
  expect: Revision;
  /** Seconds after which the store deletes the key by itself (a delete with a revision of its own). */
  ttl?: number;
}

/** A lost race is an answer, not an exception: `now` is what stands there instead. */
export type Outcome = { won: true; at: Revision } | { won: false; now?: Entry };

/**
 * What a watch tells. Calls come in the order of revisions, every change exactly once, never concurrently. An observer
 * must not throw and must not block.
 */
export interface Observer {
  /** Changes of one or more whole revisions; never empty. Afterwards everything up to `at` has been told. */
  changed(changes: readonly Change[], at: Revision): void;
  /** Nothing in the span changed up to `at`. */
  progressed?(at: Revision): void;
  /** The watch is over: Compacted, or the connection to a distributed store was lost. */
  failed(error: Error): void;
}

export interface Watch {
  close(): void;
  /**
   * Over a distributed store: asks to be told, by `progressed`, how far the watch has come, as soon as it has come as
   * far as the store had when asked. A question may get lost with the connection; it may be asked again at any time.
   */
  askProgress?(): void;
}

export interface StoreStatus {
  backend: string;
  revision: Revision;
  compacted: Revision;
  /** Bytes on disk, or 0 in memory. */
  size: number;
}

export interface Store {
  /**
   * The newest acknowledged revision where this process alone orders the writes (memory, lmdb): whatever a client has
   * seen acknowledged is at or below it, and every open watch has been told of it. Undefined over etcd: ask `current`.
   */
  readonly latest: Revision | undefined;

  /** The newest revision, linearizable. */
  current(): Promise<Revision>;

  /** As of `at`, by default the newest. Throws Compacted when `at` was compacted away, FutureRevision when not yet there. */
  range(span: Span, options?: { limit?: number; at?: Revision }): Promise<Page>;

  /** One key, newest. */
  get(key: string): Promise<Entry | undefined>;

  /**
   * Compare and swap. Resolves once the write is durable; watches have been told before it resolves (embedded).
   * Throws StoreUnavailable when the disk is full or failing or the cluster has no leader: nothing was written, except
   * over a lost connection to etcd, where the error says `maybe`.
   */
  write(write: Write): Promise<Outcome>;

  /** Every change after `after`, from the first that follows. Throws Compacted when that is gone. */
  watch(span: Span, after: Revision, observer: Observer): Promise<Watch>;

  /** Forgets history up to `upTo`; the newest value of each key stays. Done in small steps; resolves when done. */
  compact(upTo: Revision): Promise<void>;

  /** Writes a consistent copy to `path` (a file that must not exist) while the store runs on. */
  snapshot(path: string): Promise<void>;

  status(): Promise<StoreStatus>;

  [Symbol.asyncDispose](): Promise<void>;
}

/** History up to `compacted` is gone: list anew. */
export class Compacted extends Error {
  readonly compacted: Revision;
  constructor(compacted: Revision) {
    super(`the requested revision has been compacted (up to ${compacted})`);
    this.name = "Compacted";
    this.compacted = compacted;
  }
}

/** The asked revision has not happened yet. */
export class FutureRevision extends Error {
  readonly current: Revision;
  constructor(current: Revision) {
    super(`the requested revision is larger than the current one, ${current}`);
    this.name = "FutureRevision";
    this.current = current;
  }
}

/** The store cannot take a write, or cannot be reached. Reads may go on. */
export class StoreUnavailable extends Error {
  /** Whether the write may have happened all the same. */
  readonly maybe: boolean;
  constructor(message: string, options: { maybe?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "StoreUnavailable";
    this.maybe = options.maybe ?? false;
  }
}

/** The value is beyond what the store takes; nothing was written. */
export class ValueTooLarge extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ValueTooLarge";
  }
}

/** The store's file is damaged; the message says what was found and what to do. */
export class StoreDamaged extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreDamaged";
  }
}
