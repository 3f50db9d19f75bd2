/** DELETE of a collection: each of its objects, some at a time. */
import type { DeleteRequest } from "../../api/ports.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { deleteObject } from "./delete.ts";
import type { Call, Registry, Served } from "./registry.ts";

const AT_ONCE = 32;

/** Returns the objects as they were deleted or marked; one that is gone already is left out. */
export async function deleteCollection(
  registry: Registry,
  call: Call,
  served: Served,
  objects: readonly CachedObject[],
  options: DeleteRequest,
): Promise<CachedObject[]> {
  const deleted: CachedObject[] = [];
  for (let from = 0; from < objects.length; from += AT_ONCE) {
    const part = objects.slice(from, from + AT_ONCE).map(async ({ namespace, name }) => {
      try {
        const { object } = await deleteObject(registry, call, served, namespace, name, options);
        deleted.push(object);
      } catch (error) {
        if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
      }
    });
    const failed = (await Promise.allSettled(part)).find(({ status }) => status === "rejected");
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }
  return deleted;
}
