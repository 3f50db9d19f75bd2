import type { KubeObject } from "../../src/api/object.ts";
import type { ResourceClient } from "../../src/client/resource-client.ts";

/** Watches all that a label selector finds until `is` holds of them together. Ends by the test's time limit. */
export async function untilAll<T extends KubeObject>(
  objects: ResourceClient<T>,
  labelSelector: string,
  is: (objects: T[]) => boolean,
): Promise<T[]> {
  const now = new Map<string, T>();
  const events = objects.watch({
    labelSelector,
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  let initial = true;
  for await (const { type, object } of events) {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (type === "BOOKMARK") initial = false;
    else if (type === "DELETED") now.delete(key);
    else now.set(key, object);
    const all = [...now.values()];
    if (!initial && is(all)) return all;
  }
  throw new Error(`the watch of ${labelSelector} ended`);
}
