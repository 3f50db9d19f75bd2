/** Follows the program from its start until its node is ready. */
import { type FSWatcher, watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ClusterStatus, followStatus } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { findBackground } from "./background.ts";
import type { Progress } from "./progress.ts";

export type Start =
  | { ready: true; status: ClusterStatus }
  /** `ended`: the program is no more; else the time is over. */
  | { ready: false; ended: boolean; status: ClusterStatus | undefined };

/** A program that ended so often will not start by being started again. */
const MOST_ENDS = 2;

export async function followStart(layout: Layout, progress: Progress, timeoutMs: number): Promise<Start> {
  const signal = AbortSignal.timeout(timeoutMs);
  const changes = await watchDirectory(layout.statusSocket);
  let status: ClusterStatus | undefined;
  let programs = new Set<number>();
  try {
    while (!signal.aborted) {
      for await (const now of followStatus(layout.statusSocket, signal)) {
        status = now;
        tell(now, progress);
        if (now.node?.ready && now.components.every(({ state }) => state === "running"))
          return { ready: true, status: now };
      }
      if (signal.aborted) break;
      const { supervisor, program } = await findBackground(layout);
      if (program !== undefined) programs = programs.add(program);
      if (supervisor === undefined || programs.size > MOST_ENDS) return { ready: false, ended: true, status };
      await Promise.race([changes.next(), delay(500, undefined, { signal }).catch(() => {})]);
    }
    return { ready: false, ended: false, status };
  } finally {
    changes.close();
  }
}

function tell({ components, node }: ClusterStatus, progress: Progress): void {
  for (const { name, state, message } of components) {
    if (state === "running") progress.step(message === "" ? name : `${name}: ${message}`);
    if (state === "failed") progress.step(`${name} failed, and is tried again: ${message}`);
  }
  if (node?.ready)
    progress.step(
      node.simulated > 0 ? `${node.simulated} simulated node(s) Ready` : `Node ${node.name} Ready`,
    );
}

/** Tells when the file is made anew. */
async function watchDirectory(file: string): Promise<{ next(): Promise<void>; close(): void }> {
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let changed = Promise.withResolvers<void>();
  const watcher: FSWatcher = watch(directory, (_, name) => {
    if (name !== basename(file)) return;
    changed.resolve();
    changed = Promise.withResolvers<void>();
  });
  return { next: () => changed.promise, close: () => watcher.close() };
}
