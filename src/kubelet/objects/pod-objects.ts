/**
 * The Secrets, ConfigMaps and other objects that the pods of this node use, each watched by its name: nodes may see those
 * of their own pods and no other. One watch serves all pods that use the object, and ends with the last of them.
 */
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Client } from "../../client/client.ts";
import { Informer } from "../../client/informer/informer.ts";
import type { ResourceKind } from "../../client/resource-client.ts";

export interface PodObjectsOptions {
  client: Client;
  clock: Clock;
  random: Random;
  /** Told of each change of an object that the pod uses, after the first picture of it. */
  changed(podUID: string): void;
}

export interface PodObjects {
  /**
   * The object as it is now, undefined where there is none. From then on it is watched for the pod. Throws what the
   * server said where it cannot be seen (Forbidden …); it is asked for again, and `changed` is called when it came.
   */
  get<T extends KubeObject>(
    podUID: string,
    resource: Resource<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined>;
  /** Calls `changed` beside that of the options. Returns how to leave. */
  subscribe(changed: (podUID: string) => void): () => void;
  /** The pod uses nothing any more. Any number of times. */
  release(podUID: string): void;
  stop(): Promise<void>;
}

interface Watched {
  informer: Informer<KubeObject>;
  users: Set<string>;
  /** Those that wait for the first picture, to be told that it does not come. */
  waiting: Set<(error: unknown) => void>;
  /** Whether somebody was refused before the first picture came. */
  late: boolean;
}

export function createPodObjects(options: PodObjectsOptions): PodObjects {
  const { client, clock, random } = options;
  const watched = new Map<string, Watched>();
  const ofPod = new Map<string, Set<string>>();
  const listeners = new Set<(podUID: string) => void>([(uid) => options.changed(uid)]);

  const tell = (users: Iterable<string>): void => {
    for (const uid of [...users]) for (const listener of listeners) listener(uid);
  };

  const watch = (resource: ResourceKind, namespace: string, name: string): Watched => {
    const of: Watched = {
      informer: new Informer<KubeObject>({
        client: client.resource(resource, namespace),
        select: { fieldSelector: `metadata.name=${name}` },
        clock,
        random,
        failed(error) {
          if (of.informer.hasSynced) return;
          of.late ||= of.waiting.size > 0;
          for (const reject of of.waiting) reject(error);
        },
      }),
      users: new Set(),
      waiting: new Set(),
      late: false,
    };
    of.informer.subscribe(({ now }) => {
      if (of.informer.hasSynced || of.late) tell(of.users);
      // What cannot change needs no watch; a new one of its name is another object, for other pods.
      if (isImmutable(now)) void of.informer.stop();
    });
    of.informer.start();
    return of;
  };

  const leave = (key: string, podUID: string): void => {
    const of = watched.get(key);
    if (!of?.users.delete(podUID) || of.users.size > 0) return;
    watched.delete(key);
    void of.informer.stop();
    for (const reject of of.waiting) reject(new Error("the pod is gone"));
  };

  return {
    async get<T extends KubeObject>(podUID: string, resource: Resource<T>, namespace: string, name: string) {
      const key = `${resource.plural}.${resource.group}/${namespace}/${name}`;
      let of = watched.get(key);
      if (!of) {
        of = watch(resource, namespace, name);
        watched.set(key, of);
      }
      of.users.add(podUID);
      const keys = ofPod.get(podUID) ?? new Set();
      ofPod.set(podUID, keys.add(key));
      if (!of.informer.hasSynced) await firstPicture(of);
      return of.informer.lister.get(resource.scope === "Namespaced" ? namespace : "", name) as T | undefined;
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    release(podUID) {
      for (const key of ofPod.get(podUID) ?? []) leave(key, podUID);
      ofPod.delete(podUID);
    },
    async stop() {
      const all = [...watched.values()];
      watched.clear();
      ofPod.clear();
      await Promise.all(all.map(({ informer }) => informer.stop()));
    },
  };
}

function firstPicture(of: Watched): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  of.waiting.add(reject);
  of.informer.synced.then(resolve, reject);
  return promise.finally(() => of.waiting.delete(reject));
}

function isImmutable(object: KubeObject | undefined): boolean {
  return (object as { immutable?: boolean } | undefined)?.immutable === true;
}
