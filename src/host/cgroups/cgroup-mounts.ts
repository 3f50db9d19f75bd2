/** Where the kernel shows control groups: the one tree of version 2, or a tree for each controller of version 1. */

export interface CgroupMounts {
  version: 1 | 2;
  /** The mount point of each controller; several may share one. In version 2 all that there are have the same. */
  controllers: ReadonlyMap<string, string>;
  /** The mount points, each once. */
  roots: readonly string[];
}

/** Those that limit or count what pods use; a machine may lack any. */
const V1_CONTROLLERS: ReadonlySet<string> = new Set([
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "blkio",
  "pids",
  "hugetlb",
  "net_cls",
  "net_prio",
  "perf_event",
  "rdma",
  "misc",
  "name=systemd",
]);

/**
 * From the text of /proc/self/mountinfo. A machine of both versions (hybrid) is of version 1: its tree of version 2 has
 * no controllers. `unified` reads cgroup.controllers of a tree of version 2. Undefined where nothing is mounted.
 */
export function parseCgroupMounts(
  mountinfo: string,
  unified: (root: string) => string,
): CgroupMounts | undefined {
  const controllers = new Map<string, string>();
  const roots = new Set<string>();
  let unifiedRoot: string | undefined;
  for (const line of mountinfo.split("\n")) {
    const dash = line.indexOf(" - ");
    if (dash < 0) continue;
    const root = unescaped(line.slice(0, dash).split(" ")[4] ?? "");
    const [type, , options = ""] = line.slice(dash + 3).split(" ");
    if (type === "cgroup2") unifiedRoot ??= root;
    if (type !== "cgroup") continue;
    for (const option of options.split(",")) {
      if (!V1_CONTROLLERS.has(option) || controllers.has(option)) continue;
      controllers.set(option, root);
      roots.add(root);
    }
  }
  if (controllers.has("memory") || controllers.has("cpu")) {
    // Container runtimes make groups in the tree without controllers too.
    if (unifiedRoot !== undefined) roots.add(unifiedRoot);
    return { version: 1, controllers, roots: [...roots] };
  }
  if (unifiedRoot === undefined) return undefined;
  const root = unifiedRoot;
  const names = unified(root).split(/\s+/).filter(Boolean);
  return { version: 2, controllers: new Map(names.map((name) => [name, root])), roots: [root] };
}

/** Spaces and the like come as \040. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
