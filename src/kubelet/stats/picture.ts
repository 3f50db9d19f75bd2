/** What node, pods and containers use at one moment, as the kernel counts it. */
import { readFileSync } from "node:fs";
import type { ContainerStatus, Pod } from "../../api/schema/core.v1.generated.ts";
import type { CgroupTree } from "../../host/cgroups/cgroup-tree.ts";
import {
  type CgroupUsage,
  type Detail,
  type IOUsage,
  readCgroupIO,
  readCgroupUsage,
} from "../../host/cgroups/cgroup-usage.ts";
import { parseMemoryInfo } from "../../host/machine/memory-info.ts";
import { type InterfaceCounters, parseInterfaces } from "./network.ts";

export interface Group {
  /** In the tree of control groups; `/` is all of the machine. */
  path: string;
  /** Milliseconds since 1970. */
  at: number;
  usage: CgroupUsage;
  io: IOUsage[];
}

export interface ContainerGroup extends Group {
  name: string;
  /** The runtime's. */
  id: string;
  image: string;
  startedAt: number;
}

export interface PodGroup extends Group {
  pod: Pod;
  containers: ContainerGroup[];
  sandbox?: ContainerGroup;
  /** Of the pod's own network; none where it has that of the node. */
  interfaces: InterfaceCounters[];
}

export interface Picture {
  node: Group;
  nodeInterfaces: InterfaceCounters[];
  /** The groups that hold pods: of all, and of their classes. */
  above: Group[];
  pods: PodGroup[];
}

export interface PictureSources {
  tree: CgroupTree;
  pods(): readonly Pod[];
  sandboxID(podUID: string): Promise<string | undefined>;
  /** The group of all pods, and the pod's own where it has one. */
  kubepods: string;
  pathOf(podUID: string): string | undefined;
  now(): number;
  /** `/proc`, in tests another. */
  proc?: string;
}

/**
 * Pods are looked at one by one, and others have their turn in between. Of the detail `usage` sandboxes, networks and
 * disks are left out.
 */
export async function takePicture(sources: PictureSources, detail: Detail = "all"): Promise<Picture> {
  const { tree, proc = "/proc", kubepods } = sources;
  const group = (path: string): Group => groupAt(sources, path, detail);
  const node = wholeMachine(sources, detail);
  const above = tree.exists(kubepods) ? [group(kubepods)] : [];
  for (const name of tree.childrenNow(kubepods)) {
    if (/besteffort|burstable/.test(name) && !/pod[0-9a-f]/.test(name))
      above.push(group(`${kubepods}/${name}`));
  }
  const pods: PodGroup[] = [];
  for (const pod of sources.pods()) {
    const uid = pod.metadata.uid ?? "";
    const path = sources.pathOf(uid);
    if (path === undefined) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    const names = tree.childrenNow(path);
    const sandboxID = detail === "usage" ? undefined : await sources.sandboxID(uid).catch(() => undefined);
    const own = (id: string, name: string, image: string, startedAt: number): ContainerGroup | undefined => {
      // Runtimes put words around the id: `cri-containerd-<id>.scope`.
      const directory = names.find((each) => each.includes(id));
      return directory === undefined
        ? undefined
        : { name, id, image, startedAt, ...group(`${path}/${directory}`) };
    };
    const containers = runningContainers(pod).flatMap((status) => {
      const { name, image, containerID = "", state } = status;
      return own(idOf(containerID), name, image, Date.parse(state?.running?.startedAt ?? "")) ?? [];
    });
    const startTime = Date.parse(pod.status?.startTime ?? "");
    const sandbox = sandboxID === undefined ? undefined : own(sandboxID, "POD", "", startTime);
    pods.push({
      pod,
      ...group(path),
      containers,
      ...(sandbox ? { sandbox } : {}),
      interfaces:
        pod.spec?.hostNetwork || detail === "usage" ? [] : interfacesOf(tree, sandbox ?? containers[0], proc),
    });
  }
  return { node, nodeInterfaces: parseInterfaces(text(`${proc}/net/dev`)), above, pods };
}

type Sources = Pick<PictureSources, "now" | "proc" | "tree">;

export function groupAt({ tree, now }: Sources, path: string, detail: Detail = "all"): Group {
  const io = detail === "all" ? readCgroupIO(tree, path) : [];
  return { path, at: now(), usage: readCgroupUsage(tree, path, detail), io };
}

export function wholeMachine(sources: Sources, detail: Detail = "all"): Group {
  const node = groupAt(sources, "/", detail);
  node.usage.memory ??= wholeMemory(sources.proc ?? "/proc", sources.tree.readNow("/", "memory.stat"));
  return node;
}

function runningContainers({ status }: Pod): ContainerStatus[] {
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].filter(({ state, containerID }) => state?.running && containerID);
}

/** `containerd://<id>` */
export function idOf(containerID: string): string {
  return containerID.slice(containerID.indexOf("://") + 3);
}

/** Any process of the pod sees its network. */
function interfacesOf(tree: CgroupTree, group: Group | undefined, proc: string): InterfaceCounters[] {
  const pid = group && tree.readNow(group.path, "cgroup.procs")?.split("\n")[0];
  return pid ? parseInterfaces(text(`${proc}/${pid}/net/dev`)) : [];
}

/** In version 2 the root counts no memory: it is all of the machine's. */
function wholeMemory(proc: string, stat: string | undefined): CgroupUsage["memory"] {
  const info = parseMemoryInfo(text(`${proc}/meminfo`));
  const usage = (info.MemTotal ?? 0) - (info.MemFree ?? 0);
  const number = (name: string): number | undefined => {
    const found = new RegExp(`^${name} (\\d+)$`, "m").exec(stat ?? "");
    return found ? Number(found[1]) : undefined;
  };
  const inactive = number("inactive_file") ?? info["Inactive(file)"] ?? 0;
  return {
    usage,
    workingSet: Math.max(usage - inactive, 0),
    rss: number("anon") ?? 0,
    cache: number("file") ?? 0,
    mappedFile: number("file_mapped") ?? 0,
    swap: (info.SwapTotal ?? 0) - (info.SwapFree ?? 0),
    kernel: number("kernel") ?? 0,
    pageFaults: number("pgfault") ?? 0,
    majorPageFaults: number("pgmajfault") ?? 0,
    most: 0,
    failures: 0,
  };
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
