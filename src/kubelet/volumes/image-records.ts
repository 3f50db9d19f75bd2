/**
 * What image volumes of pods are made of, written down below the pods' directories, so that it outlives the kubelet:
 *
 *   <root>/pods/<uid>/plugins/kubernetes.io~image/<name>
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PodPaths, podPaths, podsDirectory } from "./pod-paths.ts";

export const IMAGE_PLUGIN = "kubernetes.io~image";

export interface ImageRecord {
  /** The runtime's ids: of all that containers of the pod were given by this volume. */
  imageIDs: readonly string[];
  /** Of containerd, where the kubelet mounted the volume from a view of it. */
  snapshotter?: string;
}

/** By the names of the volumes. */
export async function imageRecords(paths: PodPaths): Promise<Map<string, ImageRecord>> {
  const names = await namesIn(directoryOf(paths));
  const records = new Map<string, ImageRecord>();
  for (const name of names) {
    const record = await readImageRecord(paths, name);
    if (record) records.set(name, record);
  }
  return records;
}

export async function readImageRecord(paths: PodPaths, name: string): Promise<ImageRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(directoryOf(paths), name), "utf8")) as ImageRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function writeImageRecord(paths: PodPaths, name: string, record: ImageRecord): Promise<void> {
  await mkdir(directoryOf(paths), { recursive: true, mode: 0o750 });
  // Names of volumes have no dot: what a crash leaves of it is none.
  const fresh = join(directoryOf(paths), `.${name}`);
  // A power cut leaves all of it or nothing.
  await writeFile(fresh, JSON.stringify(record), { mode: 0o600, flush: true });
  await rename(fresh, join(directoryOf(paths), name));
}

export async function removeImageRecord(paths: PodPaths, name: string): Promise<void> {
  await rm(join(directoryOf(paths), name), { force: true });
}

/** The ids of the images that volumes of this node's pods show: they are in use. */
export async function imagesOfVolumes(root: string): Promise<string[]> {
  const uids = await namesIn(podsDirectory(root));
  const records = await Promise.all(uids.map((uid) => imageRecords(podPaths(root, uid))));
  return records.flatMap((ofPod) => [...ofPod.values()].flatMap(({ imageIDs }) => imageIDs));
}

function directoryOf({ pod }: PodPaths): string {
  return join(pod, "plugins", IMAGE_PLUGIN);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith("."));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
