/** The program in the background: starting, finding and ending it. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../cli/verb.ts";
import { readStatus } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { lockFile } from "../../host/file-lock.ts";
import { endProcess } from "../../host/processes.ts";
import {
  findSupervised,
  type Supervised,
  type SupervisorPlaces,
  startSupervised,
  stopSupervised,
} from "../../host/supervisor/supervisor.ts";
import { programArguments, type UpSettings } from "./settings.ts";

/** Its file in the directory of what runs. */
export const LOCK = "lock";

/** Milliseconds in which the program ends by itself: requests and watches are told of it. */
const GRACE = 15_000;

/** For one verb at a time, so that none finds what another has half done. */
export async function alone<T>(layout: Layout, act: () => Promise<T>): Promise<T> {
  await mkdir(layout.runDir, { recursive: true, mode: 0o700 });
  const unlock = lockFile(join(layout.runDir, LOCK));
  if (!unlock)
    throw new UsageError(
      `another kybern command changes this cluster (${layout.dataDir}): wait until it has ended.`,
    );
  try {
    return await act();
  } finally {
    unlock();
  }
}

export function supervisorPlaces(layout: Layout): SupervisorPlaces {
  const { supervisorPid, programPid, log, dataDir } = layout;
  const isProgram = (command: readonly string[]): boolean =>
    command.some(
      (word, i) =>
        (word === "server" || word === "agent") &&
        command[i + 1] === "--data-dir" &&
        command[i + 2] === dataDir,
    );
  return { supervisorPid, programPid, log, isProgram };
}

export function findBackground(layout: Layout): Promise<Supervised> {
  return findSupervised(supervisorPlaces(layout));
}

export function startBackground(layout: Layout, settings: UpSettings): Promise<void> {
  const [script = ""] = process.argv.slice(1);
  const command = [process.execPath, ...process.execArgv, script, ...programArguments(layout, settings)];
  return startSupervised(supervisorPlaces(layout), command);
}

/**
 * For the program itself, at its very end: runs it once more as it was, under a supervisor of its own. Nothing happens
 * where somebody is about to start or end it.
 */
export async function superviseAnew(layout: Layout): Promise<void> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  await alone(layout, () => startSupervised(supervisorPlaces(layout), command)).catch(() => {});
}

/** Ends one that was started in the foreground too. Any number of times. */
export async function stopBackground(layout: Layout): Promise<void> {
  await stopSupervised(supervisorPlaces(layout), GRACE);
  const left = await readStatus(layout.statusSocket);
  if (left) await endProcess(left.pid, GRACE);
}
