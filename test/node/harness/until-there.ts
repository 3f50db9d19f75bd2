/** Waits for files that other processes, or other threads of this one, change. */
import { existsSync, readdirSync, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

const LONGEST = 60_000;

/** Resolves as soon as `is` holds, which is asked now and after every change in the folder, but not below it. */
export async function untilChanged(
  folder: string,
  is: () => boolean | Promise<boolean>,
  what: () => string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    if (await is()) resolve();
  };
  // It is watched before it is looked at, so that nothing comes in between.
  const watcher = watch(folder, () => void look().catch(reject));
  watcher.on("error", reject);
  const late = setTimeout(() => reject(new Error(what())), LONGEST);
  look().catch(reject);
  await promise.finally(() => {
    clearTimeout(late);
    watcher.close();
  });
}

/** Resolves when there is no such file or directory. */
export function untilRemoved(path: string): Promise<void> {
  return untilChanged(
    dirname(path),
    () => !existsSync(path),
    () => `${path} is still there`,
  );
}

/** Resolves when none of the names in the folder is one of these. */
export function untilNone(folder: string, of: (name: string) => boolean): Promise<void> {
  const left = (): string[] => readdirSync(folder).filter(of);
  return untilChanged(
    folder,
    () => left().length === 0,
    () => `${left()} are still in ${folder}`,
  );
}

/** The text of a file that is there, once `is` holds of it. */
export async function untilText(path: string, is: (text: string) => boolean): Promise<string> {
  let last = "";
  await untilChanged(
    dirname(path),
    async () => {
      last = await readFile(path, "utf8");
      return is(last);
    },
    () => `${basename(path)} has only ${JSON.stringify(last)}`,
  );
  return last;
}
