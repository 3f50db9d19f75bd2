/** What was given to pods, written beside it (vol_data.json, as upstream), so that any later kubelet can take it back. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { podsDirectory } from "../pod-paths.ts";

export const CSI_DIRECTORY = "kubernetes.io~csi";
const DATA = "vol_data.json";

export interface Published {
  driverName: string;
  volumeHandle: string;
  specVolID: string;
  volumeLifecycleMode: string;
  nodeName: string;
  /** Where the driver was told to show it. */
  targetPath: string;
  stagingPath?: string;
  isBlock?: boolean;
}

/** `directory` is that of the volume in the pod's. */
export async function rememberPublished(directory: string, published: Published): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const path = join(directory, DATA);
  await writeFile(`${path}.tmp`, JSON.stringify(published), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

export async function forgetPublished(directory: string): Promise<void> {
  await rm(join(directory, DATA), { force: true });
}

/** Of one pod, by the directory of each. */
export async function publishedOf(pod: string): Promise<Map<string, Published>> {
  const found = new Map<string, Published>();
  const directory = join(pod, "volumes", CSI_DIRECTORY);
  for (const name of await namesIn(directory)) {
    const at = join(directory, name);
    const text = await readFile(join(at, DATA), "utf8").catch(() => undefined);
    if (text !== undefined) found.set(at, JSON.parse(text) as Published);
  }
  return found;
}

/** Whether any pod of the node still has what is staged there. */
export async function isStagedFor(root: string, stagingPath: string): Promise<boolean> {
  const pods = podsDirectory(root);
  for (const uid of await namesIn(pods)) {
    for (const published of (await publishedOf(join(pods, uid))).values())
      if (published.stagingPath === stagingPath) return true;
  }
  return false;
}

/** The directory that a driver fills, or makes the last part of. */
export async function makeParent(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
