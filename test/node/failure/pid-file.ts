import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** The process that a file names. */
export async function processIn(pidFile: string): Promise<number> {
  return Number(await readFile(pidFile, "utf8"));
}

/** Kills the process that a file names, and waits until the file names another. */
export async function killUntilReplaced(pidFile: string): Promise<void> {
  const killed = await processIn(pidFile);
  const replaced = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const now = await processIn(pidFile).catch(() => 0);
    if (now > 0 && now !== killed) replaced.resolve();
  };
  const watcher = watch(dirname(pidFile), (_, name) => {
    if (name === basename(pidFile)) void look();
  });
  process.kill(killed, "SIGKILL");
  await replaced.promise.finally(() => watcher.close());
}
