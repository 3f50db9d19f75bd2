/** Ends a containerd of one's own with all that runs in it, and removes what it kept. */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { removeCgroups } from "../cgroups/remove-cgroups.ts";
import { detachBelow } from "../mounts/detach-below.ts";
import { removeAll } from "../mounts/remove-all.ts";
import { commandOf, processIDs } from "../processes.ts";
import { type ContainerdPlaces, containerdSocket, stopContainerd } from "./supervise-containerd.ts";

/** Where shims of every containerd listen, named by a digest of their containerd's socket and their own name. */
const SHIM_SOCKETS = "/run/containerd/s";
/** What runc of every containerd knows of its containers. */
const RUNC = "/run/containerd/runc";
/** What CNI plugins of every containerd said. It is forgotten when a pod ends in order. */
const CNI_RESULTS = "/var/lib/cni/results";
/** What several may use, and nobody after the last of them. */
const SHARED = [
  `${RUNC}/k8s.io`,
  RUNC,
  SHIM_SOCKETS,
  "/run/containerd/fifo",
  "/run/containerd",
  CNI_RESULTS,
  dirname(CNI_RESULTS),
];

/**
 * Kills all containers, with containerd running or not, and what the system keeps for each: its cgroup, and the network
 * namespace of its sandbox with the interfaces in it. Any number of times.
 */
export async function killContainers(places: ContainerdPlaces): Promise<void> {
  const traces = await tracesOf(places);
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
  const namespaces = await namespacesOf(places);
  await detachBelow(namespaces);
  await removeCgroups([...traces.cgroups]);
  const files = [...traces.files, ...namespaces, ...(await resultsOf(places))];
  await Promise.all(files.map((path) => rm(path, { recursive: true, force: true })));
  for (const directory of SHARED) await rmdir(directory).catch(ifNotEmptyOrGone);
}

/** Kills all containers and removes images, state and mounts. Any number of times. */
export async function removeContainerd(places: ContainerdPlaces): Promise<void> {
  await killContainers(places);
  await detachBelow([places.root, places.run], { keep: true });
  for (const directory of [places.root, places.run]) await removeAll(directory);
}

/** What others of the machine put there stays. */
function ifNotEmptyOrGone(error: NodeJS.ErrnoException): void {
  if (!["ENOTEMPTY", "ENOENT", "EBUSY"].includes(error.code ?? "")) throw error;
}

interface Traces {
  cgroups: Set<string>;
  files: string[];
}

/** As the specifications of what runs tell. */
async function tracesOf(places: ContainerdPlaces): Promise<Traces> {
  const tasks = join(places.run, "state/io.containerd.runtime.v2.task/k8s.io");
  const traces: Traces = { cgroups: new Set(), files: [] };
  for (const id of await readdir(tasks).catch(() => [])) {
    traces.files.push(shimSocket(places, id), `${RUNC}/k8s.io/${id}`);
    const text = await readFile(join(tasks, id, "config.json"), "utf8").catch(() => "{}");
    const { linux = {} } = JSON.parse(text) as Specification;
    if (linux.cgroupsPath) traces.cgroups.add(linux.cgroupsPath);
  }
  return traces;
}

/** Where the CRI keeps the network namespaces of sandboxes, those of sandboxes that were never finished too. */
async function namespacesOf({ run }: ContainerdPlaces): Promise<string[]> {
  const state = join(run, "state");
  return (await readdir(state).catch(() => [])).map((plugin) => join(state, plugin, "netns"));
}

/** Those that name one of its namespaces. */
async function resultsOf({ run }: ContainerdPlaces): Promise<string[]> {
  const ours = JSON.stringify(`${run}/state/`).slice(0, -1);
  const paths = (await readdir(CNI_RESULTS).catch(() => [])).map((name) => join(CNI_RESULTS, name));
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8").catch(() => "")));
  return paths.filter((_, i) => texts[i]!.includes(ours));
}

interface Specification {
  linux?: { cgroupsPath?: string };
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
  const pids = await processIDs();
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
