/** Objects in a map, with the reader and writer that a server would give. For tests. */

import type { KubeObject } from "../../api/object.ts";
import type { ObjectReader, ObjectWriter } from "../../api/ports.ts";
import { defineResource, type Resource } from "../../api/resource.ts";
import { alreadyExists, notFound } from "../../machinery/status/status-error.ts";

type Seen = (now: KubeObject | undefined, was: KubeObject | undefined) => void;

export class MemoryServer {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #observers = new Map<string, Set<Seen>>();
  writes = 0;

  readonly reader: ObjectReader = {
    get: <T extends KubeObject>(resource: Resource<T>, namespace: string, name: string) =>
      this.#of(resource).get(`${namespace}/${name}`) as T | undefined,
    list: <T extends KubeObject>(resource: Resource<T>) => [...this.#of(resource).values()] as T[],
    observe: <T extends KubeObject>(
      resource: Resource<T>,
      seen: (now: T | undefined, was: T | undefined) => void,
    ) => {
      for (const object of this.#of(resource).values()) seen(object as T, undefined);
      const observers = this.#observers.get(resource.plural) ?? new Set();
      this.#observers.set(resource.plural, observers);
      observers.add(seen as Seen);
      return { close: () => void observers.delete(seen as Seen) };
    },
  };

  readonly writer: ObjectWriter = {
    create: async (resource, object) => {
      const { namespace = "", name = "" } = object.metadata;
      if (this.reader.get(resource, namespace, name)) {
        throw alreadyExists({ group: resource.group, resource: resource.plural }, name);
      }
      this.put(resource, object);
      return object;
    },
    update: async (resource, namespace, name, change) => {
      const stored = this.reader.get(resource, namespace, name);
      if (!stored) throw notFound({ group: resource.group, resource: resource.plural }, name);
      const copy = structuredClone(stored);
      if (change(copy) !== false) this.put(resource, copy);
      return copy;
    },
    delete: async (resource, namespace, name) => this.remove(resource, namespace, name),
  };

  put<T extends KubeObject>(resource: Resource<T>, object: T): void {
    const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const was = this.#of(resource).get(key);
    this.#of(resource).set(key, object);
    this.writes++;
    for (const seen of this.#observers.get(resource.plural) ?? []) seen(object, was);
  }

  remove<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): void {
    const was = this.#of(resource).get(`${namespace}/${name}`);
    this.#of(resource).delete(`${namespace}/${name}`);
    for (const seen of this.#observers.get(resource.plural) ?? []) seen(undefined, was);
  }

  #of(resource: { plural: string }): Map<string, KubeObject> {
    let objects = this.#objects.get(resource.plural);
    if (!objects) {
      objects = new Map();
      this.#objects.set(resource.plural, objects);
    }
    return objects;
  }
}

/** A kind of which only the names matter. */
export function plainKind<T extends KubeObject>(kind: string, plural: string, group = ""): Resource<T> {
  return defineResource<T>({ group, version: "v1", kind, plural, scope: "Namespaced", definition: "" });
}
