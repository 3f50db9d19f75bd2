import type { CgroupTree } from "../../host/cgroups/cgroup-tree.ts";

/** Whether the kernel can keep containers from swap; `group` is any but the root. */
export async function canLimitSwap(tree: CgroupTree, group: string): Promise<boolean> {
  const file = tree.version === 1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max";
  return (await tree.read(group, file)) !== undefined;
}
