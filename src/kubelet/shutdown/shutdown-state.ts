/** What is remembered of a shutdown, in a file of upstream's form: a kubelet that is started in its middle goes on with it. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

export interface ShutdownState {
  /** Milliseconds since 1970. */
  began: number;
  /** Undefined while pods are being ended. */
  ended?: number | undefined;
}

/** Go's zero time: it has not ended. */
const NEVER = "0001-01-01T00:00:00Z";

/** Undefined where nothing is known, or nothing that can be read. */
export async function readShutdownState(path: string): Promise<ShutdownState | undefined> {
  try {
    const { startTime, endTime } = JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
    const began = Date.parse(startTime ?? "");
    if (!(began > 0)) return undefined;
    const ended = Date.parse(endTime ?? "");
    return { began, ...(ended > 0 ? { ended } : {}) };
  } catch {
    return undefined;
  }
}

export async function writeShutdownState(path: string, { began, ended }: ShutdownState): Promise<void> {
  const state = {
    startTime: new Date(began).toISOString(),
    endTime: ended === undefined ? NEVER : new Date(ended).toISOString(),
  };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.tmp`, JSON.stringify(state), { mode: 0o644 });
  await rename(`${path}.tmp`, path);
}
