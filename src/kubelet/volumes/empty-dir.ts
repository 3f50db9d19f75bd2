/** emptyDir: a directory of the pod's own, on the disk of the node, in memory, or in huge pages. */
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Mounts } from "../../host/mounts/mounts.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { makeDirectory } from "./make-directory.ts";
import { fsGroupOf } from "./pod-volume-use.ts";
import { VolumeError, type VolumePlugin } from "./volume-plugin.ts";

const HUGE_PAGES = "HugePages";

export function emptyDirPlugin(mounts: Mounts, memoryOfNode: () => number | undefined): VolumePlugin {
  const directory = "kubernetes.io~empty-dir";
  return {
    directory,
    owns: ({ volume }) => volume.emptyDir !== undefined,
    async setUp({ pod, paths, volume }) {
      const path = paths.volume(directory, volume.name);
      const { medium = "", sizeLimit } = volume.emptyDir ?? {};
      const group = fsGroupOf(pod);
      await makeDirectory(path, group);
      if (medium !== "" && !(await mounts.isMountPoint(path))) {
        // Upstream leaves a tmpfs as the kernel makes it: files are removed by those alone who own them.
        const kind = medium === "Memory" ? 0o1000 : 0;
        const open = [`mode=${(kind | (group === undefined ? 0o777 : 0o2777)).toString(8)}`];
        if (group !== undefined) open.push(`gid=${group}`);
        if (medium === "Memory") {
          const bytes = memorySize(pod, sizeLimit, memoryOfNode());
          const options = bytes === undefined ? open : [...open, `size=${bytes}`];
          await mounts.mount({ type: "tmpfs", source: "tmpfs", target: path, options });
        } else if (medium.startsWith(HUGE_PAGES)) {
          const options = [...open, `pagesize=${pageSize(pod, medium)}`];
          await mounts.mount({ type: "hugetlbfs", source: "nodev", target: path, options });
        } else throw new VolumeError(`unknown storage medium ${JSON.stringify(medium)}`);
      }
      return { hostPath: path, readOnly: false };
    },
  };
}

/** The least of what the volume says, what the pod may use, and what the node has. */
export function memorySize(
  pod: Pod,
  sizeLimit: string | undefined,
  memoryOfNode: number | undefined,
): number | undefined {
  const said = sizeLimit === undefined ? 0 : Quantity.parse(sizeLimit).value();
  const sizes = [said > 0 ? said : undefined, memoryLimit(pod), memoryOfNode].filter(
    (size) => size !== undefined,
  );
  return sizes.length > 0 ? Math.min(...sizes) : undefined;
}

/** Of the whole pod; undefined where one of its containers has none. */
function memoryLimit({ spec }: Pod): number | undefined {
  const own = spec?.resources?.limits?.memory;
  if (own !== undefined) return Quantity.parse(own).value();
  const limitOf = ({ resources }: Container): number =>
    resources?.limits?.memory === undefined ? Number.NaN : Quantity.parse(resources.limits.memory).value();
  const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === "Always";
  const init = spec?.initContainers ?? [];
  const sum = (of: readonly Container[]): number => of.reduce((total, one) => total + limitOf(one), 0);
  const limit = Math.max(
    sum([...(spec?.containers ?? []), ...init.filter(isSidecar)]),
    ...init.filter((one) => !isSidecar(one)).map(limitOf),
  );
  return Number.isNaN(limit) ? undefined : limit;
}

/** `2M` of `HugePages-2Mi`; of `HugePages` the one size that the pod asks for. */
function pageSize({ spec }: Pod, medium: string): string {
  const prefix = "hugepages-";
  const asked = new Set<string>();
  for (const { resources } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const name of Object.keys(resources?.requests ?? {}))
      if (name.startsWith(prefix)) asked.add(name.slice(prefix.length));
  }
  const said = medium === HUGE_PAGES ? undefined : medium.slice(HUGE_PAGES.length + 1);
  if (said === undefined && asked.size !== 1) {
    throw new VolumeError(
      `medium ${JSON.stringify(medium)} can only be used if a pod uses one single size of huge pages`,
    );
  }
  if (said !== undefined && !asked.has(said)) {
    throw new VolumeError(
      `medium ${JSON.stringify(medium)} is used, but the pod asks for no huge pages of ${said}`,
    );
  }
  return (said ?? [...asked][0]!).replace(/i$/, "");
}
