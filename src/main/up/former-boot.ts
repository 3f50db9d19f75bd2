/** Removes what says of processes and networks that they are there, once the machine was started anew. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Layout } from "../../cluster/layout.ts";
import { writeFileAtomically } from "../../cluster/pki/write-file-atomically.ts";
import { openMounts } from "../../host/mounts/mounts.ts";
import { LOCK } from "./background.ts";

/** Below /run the system does it itself; any other directory survives the machine's end. */
export async function forgetFormerBoot({ runDir }: Layout): Promise<void> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined);
  if (boot === undefined) return;
  const path = join(runDir, "boot-id");
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === boot) return;
  // The file may be damaged: what pods have mounted there is of now, whatever it says.
  const isFormer = before !== undefined && !(await isMountedBelow(runDir));
  for (const name of isFormer ? await readdir(runDir) : []) {
    if (name !== LOCK) await rm(join(runDir, name), { recursive: true, force: true });
  }
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  await writeFileAtomically(path, boot);
}

async function isMountedBelow(directory: string): Promise<boolean> {
  return (await openMounts().table()).some(({ target }) => target.startsWith(`${directory}/`));
}
