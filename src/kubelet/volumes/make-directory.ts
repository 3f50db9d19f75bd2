import { chmod, lstat, mkdir, rename } from "node:fs/promises";
import { giveToGroup } from "./ownership.ts";

/**
 * A directory for pods to write to, open to all of their users or to their group. It is made under another name first, so
 * that it is never seen half made; one that is there is left as its pods made it.
 */
export async function makeDirectory(path: string, group?: number): Promise<void> {
  if (await lstat(path).catch(() => undefined)) return;
  const fresh = `${path}.new`;
  await mkdir(fresh, { recursive: true, mode: 0o750 });
  await chmod(fresh, 0o777);
  if (group !== undefined) await giveToGroup(fresh, { group });
  await rename(fresh, path);
}
