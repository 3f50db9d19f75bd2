/**
 * Pods with users of their own (hostUsers: false) come to their file systems as strangers to the machine: they may pass
 * through the directories on the way, and see nothing in them.
 */
import { chmod, mkdir, stat } from "node:fs/promises";
import { sep } from "node:path";
import type { Layout } from "../../cluster/layout.ts";

const TO_PASS = 0o011;

type Places = Pick<Layout, "dataDir" | "runDir" | "registries" | "storage">;

export async function letUsersPass({ dataDir, runDir, registries, storage }: Places): Promise<void> {
  await mkdir(runDir, { recursive: true, mode: 0o711 });
  await open(runDir);
  if (!runDir.startsWith(dataDir + sep)) return;
  // Everything else in there is closed by itself.
  for (const directory of [registries, storage]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
  }
  await open(dataDir);
}

async function open(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  await chmod(directory, (mode & 0o7777) | TO_PASS);
}
