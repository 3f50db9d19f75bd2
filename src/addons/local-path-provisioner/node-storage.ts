/**
 * The half of the provisioner that every node has: tells where the node keeps directories, and removes those of volumes
 * that are deleted. The kubelet makes them, when they are first mounted. A directory is removed when its volume says so
 * and never because the volume is not to be seen: a node that is pointed at another cluster keeps its data.
 */
import { basename, dirname } from "node:path";
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Informers } from "../../client/informer/informers.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import { type Mounts, openMounts } from "../../host/mounts/mounts.ts";
import { removeTree } from "../../host/mounts/remove-tree.ts";
import { isToBeRemoved, nodeOf } from "./decide-volume.ts";
import { DIRECTORY_ANNOTATION, listed, REMOVED_ANNOTATION, VOLUME_LABEL } from "./names.ts";

export interface NodeStorageOptions {
  nodeName: string;
  /** Where the directories are: `<data-dir>/storage`, the one of the kubelet's `localStorage`. */
  directory: string;
  /** Acts as the node (system:node:NAME of system:nodes). */
  client: Client;
  /** Of the same user. */
  informers: Informers;
  clock: Clock;
  mounts?: Mounts;
  log(level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>): void;
}

export interface NodeStorage {
  stop(): Promise<void>;
}

/** The one thing to work on: all that the node says is in one object. */
const KEY = "node";
const TELL_AFTER = 3;
const RETRY = { first: 100, longest: 60_000 };

export function startNodeStorage(options: NodeStorageOptions): NodeStorage {
  const { nodeName, informers, clock, log } = options;
  const nodes = informers.of(Node, { fieldSelector: `metadata.name=${nodeName}` });
  const volumes = informers.of(PersistentVolume, { labelSelector: `${VOLUME_LABEL}=true` });
  const work = async (): Promise<undefined> => {
    const node = nodes.lister.get("", nodeName);
    if (node) await bringAbout(options, node, volumes.lister.list());
  };
  const queue = new WorkQueue({
    clock,
    work,
    retry: RETRY,
    failed: (_key, error, attempt) => {
      if (attempt === TELL_AFTER)
        log("warn", "directories of volumes could not be removed", { error: String(error) });
    },
  });
  const leave: (() => void)[] = [];
  let stopped = false;
  nodes.start();
  volumes.start();
  void Promise.all([nodes.synced, volumes.synced]).then(() => {
    if (stopped) return;
    leave.push(
      nodes.subscribe(({ now, was }) => {
        if (now && (!was || annotationsOf(now) !== annotationsOf(was))) queue.add(KEY);
      }),
      volumes.subscribe(({ now, was }) => {
        const volume = now ?? was;
        if (volume && nodeOf(volume) === nodeName && (!now || isToBeRemoved(volume))) queue.add(KEY);
      }),
    );
    queue.start();
  });
  return {
    async stop() {
      stopped = true;
      for (const each of leave) each();
      await queue.close();
    },
  };
}

function annotationsOf({ metadata }: Node): string {
  return `${metadata.annotations?.[DIRECTORY_ANNOTATION]} ${metadata.annotations?.[REMOVED_ANNOTATION]}`;
}

async function bringAbout(
  { nodeName, directory, client, mounts = openMounts() }: NodeStorageOptions,
  node: Node,
  volumes: readonly PersistentVolume[],
): Promise<void> {
  const own = volumes.filter((volume) => nodeOf(volume) === nodeName);
  const failures: unknown[] = [];
  const removed = new Set<string>();
  const before = listed(node.metadata.annotations?.[REMOVED_ANNOTATION]);
  for (const volume of own) {
    if (!isToBeRemoved(volume)) continue;
    const { name = "" } = volume.metadata;
    try {
      if (!before.includes(name)) await removeDirectory(mounts, directory, volume);
      removed.add(name);
    } catch (error) {
      failures.push(error);
    }
  }
  const value = [...removed].sort().join(",");
  const annotations = {
    [DIRECTORY_ANNOTATION]: directory,
    [REMOVED_ANNOTATION]: value === "" ? null : value,
  };
  const isSaid =
    node.metadata.annotations?.[DIRECTORY_ANNOTATION] === directory && before.join(",") === value;
  if (!isSaid) await client.resource(Node).patch(nodeName, { metadata: { annotations } }, { type: "merge" });
  if (failures.length > 0) throw failures[0];
}

/** Only right inside the provisioner's own directory, whatever the volume says. */
async function removeDirectory(mounts: Mounts, directory: string, volume: PersistentVolume): Promise<void> {
  const path = volume.spec.local?.path ?? "";
  const { name } = volume.metadata;
  if (dirname(path) !== directory || basename(path) !== name) return;
  await removeTree(mounts, path);
}
