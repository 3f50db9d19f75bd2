/** Brings what the informers tell to the cache and the queue, and what plugins asked to be told of to the queue. */
import { Node } from "../api/core/node.ts";
import { hasPodEnded } from "../api/core/pod/state.ts";
import { Pod } from "../api/core/pods.ts";
import type { KubeObject } from "../api/object.ts";
import type { Change, Informer } from "../client/informer/informer.ts";
import type { Informers } from "../client/informer/informers.ts";
import type { ResourceKind } from "../client/resource-client.ts";
import type { Cache } from "./cache/cache.ts";
import { type Profile, resourceName } from "./framework/profile.ts";
import type { PermitWaits } from "./framework/waiting-pods.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";

export interface FollowedCluster {
  /** Resolves when everything that was there is known. */
  readonly synced: Promise<void>;
  stop(): void;
}

export interface FollowParts {
  informers: Informers;
  cache: Cache;
  queue: SchedulingQueue;
  permits: PermitWaits;
  profiles: ReadonlyMap<string, Profile>;
  /** What plugins want to be told of. */
  resources: Iterable<ResourceKind>;
}

export function followCluster(parts: FollowParts): FollowedCluster {
  const { informers, cache, queue, resources } = parts;
  const nodes = informers.of(Node);
  const pods = informers.of(Pod);
  const others = new Map<string, Informer<KubeObject>>();
  for (const resource of resources) {
    const key = resourceName(resource);
    if (key !== "nodes." && key !== "pods.") others.set(key, informers.of(resource));
  }
  const leave = [
    nodes.subscribe(({ now, was, key }) => {
      if (now) cache.setNode(now);
      else cache.removeNode(key);
      queue.changed({ resource: "nodes.", now, was });
    }),
    pods.subscribe((change) => podChanged(change, parts)),
    ...[...others].map(([resource, informer]) =>
      informer.subscribe(({ now, was }) => queue.changed({ resource, now, was })),
    ),
  ];
  const all: { start(): void; synced: Promise<void> }[] = [nodes, pods, ...others.values()];
  for (const informer of all) informer.start();
  return {
    synced: Promise.all(all.map(({ synced }) => synced)).then(() => {}),
    stop() {
      for (const end of leave) end();
    },
  };
}

/** What a pod is to the scheduler. */
function placeOf(pod: Pod | undefined): "node" | "queue" | "none" {
  if (!pod || hasPodEnded(pod)) return "none";
  return pod.spec?.nodeName ? "node" : "queue";
}

function podChanged(
  { now, was }: Pick<Change<Pod>, "now" | "was">,
  parts: Pick<FollowParts, "cache" | "queue" | "permits" | "profiles">,
): void {
  const { cache, queue, profiles } = parts;
  // The informer may show the successor of the same name without having shown the end of the first.
  if (now && was && now.metadata.uid !== was.metadata.uid) {
    podChanged({ was }, parts);
    podChanged({ now }, parts);
    return;
  }
  const before = placeOf(was);
  const after = placeOf(now);
  const uid = (now ?? was)?.metadata.uid ?? "";
  if (after === "node") {
    if (before === "queue" || !was) queue.remove(uid);
    cache.setPod(now!);
    queue.changed({ resource: "pods.", now, was: before === "node" ? was : undefined });
  } else if (after === "queue") {
    if (!profiles.has(now!.spec?.schedulerName ?? "")) return;
    if (before === "queue") queue.update(was!, now!);
    else queue.add(now!);
  } else if (before !== "none") gone(was!, uid, parts);
}

function gone(
  was: Pod,
  uid: string,
  { cache, queue, permits }: Pick<FollowParts, "cache" | "queue" | "permits">,
): void {
  // What it had, or was to have, is there for others.
  const freed = was.spec?.nodeName || cache.isAssumed(uid) || queue.nominator.node(uid) !== undefined;
  queue.remove(uid);
  cache.removePod(uid);
  permits.refuse(uid, "", "removed");
  if (freed) queue.changed({ resource: "pods.", was });
}
