/** Other processes of the machine, by their ids. */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The words that it was started with; undefined where it is gone or a zombie, or the system does not tell. */
export async function commandOf(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text === "" ? undefined : text.replace(/\0$/, "").split("\0");
}

/**
 * The process that the file names, as long as `is` recognizes its command: ids are given out again, and after a power cut
 * the file may name anything. Where the file is of no use, the first that is recognized of all there are.
 */
export async function processOf(
  pidFile: string,
  is: (command: readonly string[]) => boolean,
): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
  if (await isRecognized(pid, is)) return pid;
  for (const other of await processIDs()) if (await isRecognized(other, is)) return other;
  return undefined;
}

async function isRecognized(pid: number, is: (command: readonly string[]) => boolean): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) return false;
  const command = await commandOf(pid);
  return command !== undefined && is(command);
}

/** Of all that this process can see; none where the system does not show them. */
export async function processIDs(): Promise<number[]> {
  const names = await readdir("/proc").catch((): string[] => []);
  return names.map(Number).filter((pid) => Number.isInteger(pid) && pid > 1);
}

/** Asks it to end, and kills it where it does not in time. Resolves when it is gone. */
export async function endProcess(pid: number, graceMs: number): Promise<void> {
  if (!signal(pid, "SIGTERM")) return;
  if (await isGone(pid, graceMs)) return;
  signal(pid, "SIGKILL");
  await isGone(pid, 5000);
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Nothing tells of the end of a process that is no child: it is asked for, ever more seldom. */
async function isGone(pid: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (let wait = 2; ; wait = Math.min(wait * 2, 50)) {
    // A zombie whose parent is slow to notice is alive by its id alone.
    if (!isAlive(pid) || (process.platform === "linux" && (await commandOf(pid)) === undefined)) return true;
    if (performance.now() > until) return false;
    await delay(wait);
  }
}
