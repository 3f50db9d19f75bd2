import { watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { UsageError } from "../../cli/verb.ts";
import type { LogsRun } from "../../cli/verbs/logs.ts";

const CHUNK = 64 << 10;
const LINE_BREAK = 10;

export async function runLogs({ path, follow, tail }: LogsRun): Promise<void> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new UsageError(`there is no ${path} yet: start with \`kybern up\`.`);
    throw error;
  });
  try {
    let at = tail === undefined ? 0 : await startOfLast(file, tail);
    at = await print(file, at);
    if (!follow) return;
    for await (const _ of changes(path)) at = await print(file, at);
  } finally {
    await file.close();
  }
}

/** Where the last lines begin. */
async function startOfLast(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  // The line break that ends the last line begins no other.
  let left = lines;
  for (let end = Math.max(size - 1, 0); end > 0; ) {
    const begin = Math.max(end - CHUNK, 0);
    const { buffer } = await file.read(Buffer.alloc(end - begin), 0, end - begin, begin);
    for (let i = buffer.length - 1; i >= 0; i--) {
      if (buffer[i] === LINE_BREAK && --left <= 0) return begin + i + 1;
    }
    end = begin;
  }
  return left <= 0 ? size : 0;
}

/** Prints what is there from `at` on, and tells where it ends; a file that got shorter was emptied. */
async function print(file: FileHandle, at: number): Promise<number> {
  const { size } = await file.stat();
  let from = size < at ? 0 : at;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, from);
    if (bytesRead === 0) return from;
    process.stdout.write(buffer.subarray(0, bytesRead));
    from += bytesRead;
  }
}

async function* changes(path: string): AsyncGenerator<void> {
  let changed = Promise.withResolvers<void>();
  const watcher = watch(path, () => changed.resolve());
  const stopped = Promise.withResolvers<"stopped">();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.resolve("stopped"));
  try {
    for (;;) {
      if ((await Promise.race([changed.promise, stopped.promise])) === "stopped") return;
      changed = Promise.withResolvers<void>();
      yield;
    }
  } finally {
    watcher.close();
  }
}
