/** Follows the objects of one kind by their metadata, and keeps of each only its uid. */
import type { KubeObject } from "../../api/object.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { DiscoveredKind } from "../../client/discovery.ts";
import { keyOf } from "../../client/informer/object-store.ts";
import { Reflector } from "../../client/informer/reflector.ts";
import type { Known } from "./graph.ts";

export interface SourceOptions {
  client: Client;
  clock: Clock;
  random: Random;
  seen(kind: DiscoveredKind, known: Known): void;
  gone(uid: string): void;
}

/** The objects of one kind, whoever follows them. */
export interface Source {
  readonly kind: DiscoveredKind;
  /** Resolves with the first whole picture. */
  readonly synced: Promise<void>;
  uidOf(namespace: string, name: string): string | undefined;
  /** The namespace of the object with that uid. Looks at all: for what goes wrong, not for each object. */
  namespaceOf(uid: string): string | undefined;
  stop(): void;
}

export function followMetadata(kind: DiscoveredKind, options: SourceOptions): Source {
  const { client, clock, random, seen, gone } = options;
  const uids = new Map<string, string>();
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const enter = (object: KubeObject): void => {
    const key = keyOf(object);
    const uid = object.metadata.uid!;
    const before = uids.get(key);
    uids.set(key, uid);
    if (before !== undefined && before !== uid) gone(before);
    seen(kind, pick(object));
  };
  const leave = (key: string): void => {
    const uid = uids.get(key);
    uids.delete(key);
    if (uid !== undefined) gone(uid);
  };
  const reflector = new Reflector<KubeObject>({
    client: client.metadata(kind),
    clock,
    random,
    target: {
      replace(objects) {
        const left = new Set(uids.keys());
        for (const object of objects) {
          left.delete(keyOf(object));
          enter(object);
        }
        for (const key of left) leave(key);
        ready.resolve();
      },
      changed({ type, object }) {
        if (type === "DELETED") leave(keyOf(object));
        else enter(object);
      },
    },
  });
  void reflector.run(stopping.signal);
  return {
    kind,
    synced: ready.promise,
    uidOf: (namespace, name) => uids.get(namespace === "" ? name : `${namespace}/${name}`),
    namespaceOf(wanted) {
      for (const [key, uid] of uids) if (uid === wanted) return key.slice(0, Math.max(key.indexOf("/"), 0));
      return undefined;
    },
    stop: () => stopping.abort(),
  };
}

/** Labels, annotations and managed fields are most of the metadata, and nothing here needs them. */
function pick({ metadata }: KubeObject): Known {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = metadata;
  return {
    metadata: { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp },
  };
}
