/**
 * Reads a container's log for one client: from where it asks, as far as it asks, on and on where it follows. Rotation
 * renames the file and has the runtime begin another under the same name, which a follower goes on with.
 *
 *   open → seek → read to the end ──(not following)──→ done
 *                  ↑      │ following: wait for the directory to change, or the container to end
 *                  └──────┘ another file under the name: read this one to its end, then that one from its start
 */
import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { LogLines } from "./log-lines.ts";
import type { LogQuery } from "./log-query.ts";
import { openLog } from "./open-log.ts";

export interface LogReading {
  path: string;
  /** Below which logs lie. */
  root: string;
  query: LogQuery;
  /** The log is there, and will be read. */
  opened?(): void;
  /** Takes a piece; a promise holds the reading up until it resolves. */
  write(piece: Buffer): void | Promise<void>;
  /** Resolves when the container ceases to run; asked for where the log is followed. */
  ended(signal: AbortSignal): Promise<void>;
  /** The client is gone. */
  signal: AbortSignal;
}

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;

/** Resolves when everything was written. Rejects with what opening or reading throws; once `signal` aborts, with nothing. */
export async function readLog(reading: LogReading): Promise<void> {
  const { path, root, query } = reading;
  const file = await openLog(path, root);
  const reader = new LogReader(reading, file);
  try {
    await reader.seek(query.tailLines);
    reading.opened?.();
    await (query.follow ? reader.follow() : reader.rest());
  } finally {
    await reader.close();
  }
}

class LogReader {
  private readonly reading: LogReading;
  private readonly lines: LogLines;
  private readonly block = Buffer.allocUnsafe(BLOCK);
  private file: FileHandle;
  private position = 0;

  constructor(reading: LogReading, file: FileHandle) {
    this.reading = reading;
    this.file = file;
    this.lines = new LogLines(reading.query);
  }

  async seek(tailLines: number | undefined): Promise<void> {
    if (tailLines !== undefined) this.position = await tailStart(this.file, tailLines, this.block);
  }

  /** All there is now, and the end of a line that has none. */
  async rest(): Promise<void> {
    await this.drain();
    await this.put(this.lines.finish());
  }

  async follow(): Promise<void> {
    const { reading } = this;
    const stop = new AbortController();
    const signal = AbortSignal.any([reading.signal, stop.signal]);
    const changes = watchDirectory(dirname(reading.path), signal);
    let over = false;
    const end = (): void => {
      over = true;
      changes.notify();
    };
    // Whoever cannot tell any more when the container ends must not be waited for.
    reading.ended(signal).then(end, end);
    try {
      while (!reading.signal.aborted && !this.lines.full) {
        const last = over;
        changes.clear();
        await this.drain();
        if (await this.turn()) continue;
        if (last) break;
        await changes.next();
      }
      await this.put(this.lines.finish());
    } finally {
      stop.abort();
      changes.close();
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async drain(): Promise<void> {
    const { signal } = this.reading;
    while (!signal.aborted && !this.lines.full) {
      const { bytesRead } = await this.file.read(this.block, 0, BLOCK, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      await this.put(this.lines.take(this.block.subarray(0, bytesRead)));
    }
  }

  /** Goes on with the file that now has the name, where that is another. */
  private async turn(): Promise<boolean> {
    const { path, root } = this.reading;
    const [old, now] = await Promise.all([this.file.stat(), stat(path).catch(() => undefined)]);
    if (!now || now.ino === old.ino) return false;
    const next = await openLog(path, root).catch(() => undefined);
    if (!next) return false;
    // The runtime may have written to the old file until it began the new one.
    await this.drain();
    await this.put(this.lines.finish());
    await this.file.close();
    this.file = next;
    this.position = 0;
    return true;
  }

  private put(piece: Buffer): void | Promise<void> {
    if (piece.length > 0 && !this.reading.signal.aborted) return this.reading.write(piece);
  }
}

/** Where the last `count` lines begin. */
async function tailStart(file: FileHandle, count: number, block: Buffer): Promise<number> {
  const { size } = await file.stat();
  if (count === 0) return size;
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let at = bytesRead; at > 0; ) {
      at = block.lastIndexOf(NEWLINE, at - 1);
      if (at < 0) break;
      // The newline at the very end begins no line.
      if (start + at + 1 === size) continue;
      if (++found === count) return start + at + 1;
      if (at === 0) break;
    }
    end = start;
  }
  return 0;
}

interface Changes {
  /** Forgets what was told before. */
  clear(): void;
  /** Resolves at the first change since `clear`, or when nobody waits any more. */
  next(): Promise<void>;
  notify(): void;
  close(): void;
}

function watchDirectory(directory: string, signal: AbortSignal): Changes {
  let changed = false;
  let wake = (): void => {};
  const notify = (): void => {
    changed = true;
    wake();
  };
  const watcher: FSWatcher = watch(directory, { persistent: false }, notify);
  // The directory is gone with its pod: there is nothing to follow.
  watcher.on("error", notify);
  signal.addEventListener("abort", notify, { once: true });
  return {
    clear() {
      changed = false;
    },
    next: () =>
      new Promise<void>((resolve) => {
        if (changed || signal.aborted) resolve();
        else wake = resolve;
      }),
    notify,
    close: () => watcher.close(),
  };
}
