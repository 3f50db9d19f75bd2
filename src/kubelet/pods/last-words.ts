/** What containers that ended had to say, read once for each. */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { terminationMessage } from "../status/termination-message.ts";
import type { ContainerRecord, PodRuntime } from "./runtime-state.ts";

export class LastWords {
  readonly #messages = new Map<string, string>();

  async read({ containers, former = [] }: PodRuntime): Promise<void> {
    for (const id of this.#messages.keys()) {
      if (![...containers, ...former].some((record) => record.id === id)) this.#messages.delete(id);
    }
    const fresh = containers.filter(({ id, state }) => state === "exited" && !this.#messages.has(id));
    await Promise.all(
      fresh.map(async (record) => this.#messages.set(record.id, await terminationMessage(record, readPart))),
    );
  }

  of({ id }: ContainerRecord): string {
    return this.#messages.get(id) ?? "";
  }
}

/** The container may have put anything in place of the file: it is neither followed nor waited for. */
async function readPart(path: string, bytes: number, fromEnd: boolean): Promise<Buffer> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: FileHandle | undefined;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) return Buffer.alloc(0);
    const from = fromEnd ? Math.max(0, stat.size - bytes) : 0;
    const buffer = Buffer.alloc(Math.min(bytes, stat.size - from));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file?.close();
  }
}
