import type { KubeObject } from "../../src/api/object.ts";
import type { ResourceClient } from "../../src/client/resource-client.ts";

/** Watches one object until `is` holds of it; `undefined` stands for "there is none". Ends by the test's time limit. */
export async function until<T extends KubeObject>(
  objects: ResourceClient<T>,
  name: string,
  is: (object: T | undefined) => boolean,
): Promise<T | undefined> {
  let now: T | undefined;
  const events = objects.watch({
    fieldSelector: `metadata.name=${name}`,
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  let initial = true;
  for await (const { type, object } of events) {
    if (type === "BOOKMARK") initial = false;
    else now = type === "DELETED" ? undefined : object;
    if (!initial && is(now)) return now;
  }
  throw new Error(`the watch of ${name} ended`);
}
