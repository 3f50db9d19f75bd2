/** The pod that a stream is asked of, and its container. */
import { Pod } from "../../api/core/pod/pod.ts";
import type { Pod as PodObject } from "../../api/schema/core.v1.generated.ts";
import { badRequest, notFound } from "../../machinery/status/status-error.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";

export async function findPod(cache: WatchCache, namespace: string, name: string): Promise<PodObject> {
  const waited = cache.fresh();
  if (waited) await waited;
  const pod = cache.get(Pod, namespace, name);
  if (!pod) throw notFound({ group: "", resource: "pods" }, name);
  return pod;
}

/** The container that is meant: the one named, or the only one. */
export function containerOf({ metadata, spec }: PodObject, asked: string): string {
  const pod = metadata.name ?? "";
  const containers = names(spec?.containers);
  const init = names(spec?.initContainers);
  if (asked !== "") {
    const all = [...containers, ...init, ...names(spec?.ephemeralContainers)];
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod}`);
  }
  const [only] = containers;
  if (only !== undefined && containers.length === 1) return only;
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${pod}`);
  const others = init.length > 0 ? ` or one of the init containers: [${init.join(" ")}]` : "";
  throw badRequest(
    `a container name must be specified for pod ${pod}, choose one of: [${containers.join(" ")}]${others}`,
  );
}

function names(list: readonly { name: string }[] | undefined): string[] {
  return (list ?? []).map(({ name }) => name);
}
