/** What an informer shows, with changes of our own that it does not show yet. */
import type { KubeObject } from "../../api/object.ts";
import type { Informer } from "../../client/informer/informer.ts";
import { keyOf } from "../../client/informer/object-store.ts";

interface Assumed<T> {
  object: T;
  /** The version that was changed: once the informer shows another, what it shows is right. */
  base: string | undefined;
}

export class AssumedObjects<T extends KubeObject> {
  readonly informer: Informer<T>;
  private readonly assumed = new Map<string, Assumed<T>>();

  constructor(informer: Informer<T>) {
    this.informer = informer;
  }

  get(namespace: string, name: string): T | undefined {
    const shown = this.informer.lister.get(namespace, name);
    return shown && this.latest(shown);
  }

  /** `shown` as it will be. */
  latest(shown: T): T {
    if (this.assumed.size === 0) return shown;
    const key = keyOf(shown);
    const assumed = this.assumed.get(key);
    if (!assumed) return shown;
    if (assumed.base === shown.metadata.resourceVersion) return assumed.object;
    this.assumed.delete(key);
    return shown;
  }

  *list(): Generator<T> {
    for (const shown of this.informer.lister.list()) yield this.latest(shown);
  }

  assume(object: T): void {
    this.assumed.set(keyOf(object), { object, base: object.metadata.resourceVersion });
  }

  /** Takes back what was assumed of the object, if that is still it. */
  restore(object: T): void {
    if (this.assumed.get(keyOf(object))?.object === object) this.assumed.delete(keyOf(object));
  }
}
