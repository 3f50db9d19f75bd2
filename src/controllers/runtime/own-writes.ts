/**
 * What a controller wrote of each resource, so that it looks again only when its inputs show all of it. Without this, a
 * controller that acts twice within a watch's delay would make everything twice.
 */
import type { KubeObject } from "../../api/object.ts";
import type { Informer } from "../../client/informer/informer.ts";
import type { ResourceKind, WriteObserver } from "../../client/resource-client.ts";

interface Written {
  revision: number;
  /** Key and uid of what was deleted, until the picture shows it. */
  deleted: Map<string, string | undefined>;
}

export class OwnWrites implements WriteObserver {
  private readonly inputs = new Map<string, { informer: Informer<KubeObject>; written: Written }>();

  /** Waits for `informer` from now on; it must show every object of its resource. */
  follow(resource: ResourceKind, informer: Informer<KubeObject>): void {
    this.inputs.set(nameOf(resource), { informer, written: { revision: 0, deleted: new Map() } });
  }

  wrote(resource: ResourceKind, { metadata }: KubeObject): void {
    const input = this.inputs.get(nameOf(resource));
    const revision = Number(metadata?.resourceVersion);
    if (input && revision > input.written.revision) input.written.revision = revision;
  }

  deleted(resource: ResourceKind, namespace: string, name: string): void {
    const input = this.inputs.get(nameOf(resource));
    if (!input) return;
    const known = input.informer.lister.get(namespace, name);
    if (!known || known.metadata.deletionTimestamp !== undefined) return;
    input.written.deleted.set(namespace === "" ? name : `${namespace}/${name}`, known.metadata.uid);
  }

  /** Resolves when all that was written before the call is seen; undefined where that is so already. */
  seen(): Promise<unknown> | undefined {
    let waits: Promise<void>[] | undefined;
    for (const { informer, written } of this.inputs.values()) {
      const { revision } = written;
      // So it nearly always is, and every piece of work of every controller asks.
      if (informer.revision >= revision && written.deleted.size === 0) continue;
      const gone = [...written.deleted];
      const shown = (): boolean =>
        informer.revision >= revision && gone.every(([key, uid]) => isGone(informer, key, uid));
      const settle = (): void => {
        for (const [key] of gone) written.deleted.delete(key);
      };
      if (shown()) settle();
      else {
        waits ??= [];
        waits.push(informer.until(shown).then(settle));
      }
    }
    return waits && Promise.all(waits);
  }
}

function isGone(informer: Informer<KubeObject>, key: string, uid: string | undefined): boolean {
  const slash = key.indexOf("/");
  const now = informer.lister.get(slash < 0 ? "" : key.slice(0, slash), key.slice(slash + 1));
  return !now || now.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined;
}

function nameOf({ group, plural }: ResourceKind): string {
  return `${plural}.${group}`;
}
