/** Ends a containerd of one's own with all that runs in it, and removes what it kept. */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { unmountBelow } from "../mounts.ts";
import { commandOf } from "../processes.ts";
import { type ContainerdPlaces, containerdSocket, stopContainerd } from "./supervise-containerd.ts";

/** Where shims of every containerd listen, named by a digest of their containerd's socket and their own name. */
const SHIM_SOCKETS = "/run/containerd/s";

/**
 * Kills all containers, with containerd running or not; their cgroups and network interfaces are their managers' matter.
 * Any number of times.
 */
export async function killContainers(places: ContainerdPlaces): Promise<void> {
  await stopContainerd(places);
  // A container that was being started may get processes while they are looked for.
  for (let pids = await processesOf(places); pids.length > 0; pids = await processesOf(places)) {
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }
}

/** Kills all containers and removes images, state and mounts. Any number of times. */
export async function removeContainerd(places: ContainerdPlaces): Promise<void> {
  const sandboxes = await readdir(`${places.run}/state/io.containerd.runtime.v2.task/k8s.io`).catch(() => []);
  await killContainers(places);
  await unmountBelow([places.root, places.run]);
  for (const directory of [places.root, places.run]) await rm(directory, { recursive: true, force: true });
  await Promise.all(sandboxes.map((id) => rm(shimSocket(places, id), { force: true })));
  // Of a machine's other containerd they hold sockets, and stay.
  for (const directory of [SHIM_SOCKETS, "/run/containerd"]) await rmdir(directory).catch(() => {});
}

function shimSocket(places: ContainerdPlaces, id: string): string {
  const digest = createHash("sha256")
    .update(`${containerdSocket(places)}/k8s.io/${id}`)
    .digest("hex");
  return `${SHIM_SOCKETS}/${digest}`;
}

/** The shims of this containerd, and all that descends from them. */
async function processesOf(places: ContainerdPlaces): Promise<number[]> {
  const socket = containerdSocket(places);
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 1);
  const children = new Map<number, number[]>();
  const found: number[] = [];
  await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
      // After the name, which may have blanks and parentheses: the state, and the parent.
      const [state, parent] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
      if (parent === undefined || state === "Z") return;
      children.set(Number(parent), [...(children.get(Number(parent)) ?? []), pid]);
      const command = (await commandOf(pid)) ?? [];
      if (command[0]?.includes("containerd-shim") && command.includes(socket)) found.push(pid);
    }),
  );
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}
