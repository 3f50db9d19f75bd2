/**
 * Keeps the logs of running containers within bounds. A file that has got too large is renamed and the runtime told to
 * begin another; older ones are compressed, the oldest removed:
 *
 *   0.log  0.log.20260501-120000  0.log.20260501-110000.gz  0.log.20260501-100000.gz
 *
 * Whoever writes a log does not say so to anyone, and a watch would tell of every line: the sizes are looked at every
 * ten seconds, as upstream does.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "../../base/clock.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";

export interface ContainerLog {
  /** The runtime's id of the container. */
  id: string;
  path: string;
}

export interface RotationOptions {
  runtime: Pick<ContainerRuntime, "reopenContainerLog">;
  /** Containers that run now, and their logs. */
  running: () => readonly ContainerLog[];
  clock: Clock;
  /** Bytes; upstream's containerLogMaxSize, 10 MiB. */
  maxSize?: number;
  /** Files of a container, the one that is written to among them: upstream's containerLogMaxFiles, 5. */
  maxFiles?: number;
  /** Milliseconds between two looks; upstream's containerLogMonitorInterval, ten seconds. */
  period?: number;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface ContainerLogManager {
  /** Looks at once; resolves when all is done. */
  rotate(): Promise<void>;
  close(): void;
}

const PERIOD = 10_000;
const MAX_SIZE = 10 * 1024 * 1024;
const MAX_FILES = 5;
const COMPRESSED = ".gz";
const UNFINISHED = ".tmp";

/** Starts to look. */
export function containerLogManager(options: RotationOptions): ContainerLogManager {
  const { running, clock, log, maxSize = MAX_SIZE, period = PERIOD } = options;
  let cancel = (): void => {};
  let closed = false;
  let working: Promise<void> | undefined;

  async function look(): Promise<void> {
    for (const { id, path } of running()) {
      if (closed) return;
      try {
        const { size } = await stat(path);
        if (size >= maxSize) await rotateLog(options, { id, path });
      } catch (error) {
        // A container that has gone meanwhile takes its log with it.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        log("warn", "a container's log could not be rotated", { path, error: (error as Error).message });
      }
    }
  }

  function rotate(): Promise<void> {
    working ??= look().finally(() => {
      working = undefined;
    });
    return working;
  }

  function arm(): void {
    cancel = clock.setTimer(period, () => {
      void rotate().then(() => {
        if (!closed) arm();
      });
    });
  }
  arm();
  return {
    rotate,
    close() {
      closed = true;
      cancel();
    },
  };
}

/** Removes what is too many and compresses what nobody writes to any more, then begins a new file. */
async function rotateLog(options: RotationOptions, { id, path }: ContainerLog): Promise<void> {
  const { maxFiles = MAX_FILES, runtime, clock } = options;
  const names = await readdir(dirname(path));
  const plan = planRotation(basename(path), names, maxFiles);
  const at = (name: string): string => join(dirname(path), name);
  for (const name of plan.remove) await rm(at(name), { force: true });
  for (const name of plan.compress) await compress(at(name));
  const rotated = at(freeName(basename(path), names, clock.now()));
  await rename(path, rotated);
  try {
    await runtime.reopenContainerLog({ containerId: id });
  } catch (error) {
    // The runtime goes on writing to the old file: under its own name, so that it is found.
    await rename(rotated, path);
    throw error;
  }
}

export interface RotationPlan {
  remove: string[];
  compress: string[];
}

/**
 * What becomes of the rotated files of `log` before another comes to them: what was half done is removed, of the others
 * the newest `maxFiles - 2` stay, since the current one and the one that is rotated now are files too.
 */
export function planRotation(log: string, names: readonly string[], maxFiles: number): RotationPlan {
  const rotated = names.filter((name) => name.startsWith(`${log}.`)).sort();
  const unfinished = rotated.filter((name) => name.endsWith(UNFINISHED));
  // A file whose compressed form is whole was to be removed.
  const twice = rotated.filter((name) => rotated.includes(name + COMPRESSED));
  const kept = rotated.filter((name) => !unfinished.includes(name) && !twice.includes(name));
  const excess = kept.splice(0, Math.max(0, kept.length - Math.max(0, maxFiles - 2)));
  const compress = kept.filter((name) => !name.endsWith(COMPRESSED));
  return { remove: [...unfinished, ...twice, ...excess], compress };
}

async function compress(path: string): Promise<void> {
  const draft = `${path}${UNFINISHED}`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(draft, { mode: 0o640 }));
    await rename(draft, path + COMPRESSED);
    await rm(path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The name of this second, or of the next one that has none yet. */
function freeName(log: string, names: readonly string[], now: number): string {
  for (let time = now; ; time += 1000) {
    const name = `${log}.${stamp(time)}`;
    if (!names.some((one) => one.startsWith(name))) return name;
  }
}

/** `20060102-150405` in the machine's own time, as upstream names rotated files. */
function stamp(now: number): string {
  const local = new Date(now - new Date(now).getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
}
