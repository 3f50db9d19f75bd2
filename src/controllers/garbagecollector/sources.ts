/** Follows every kind that the server says can be listed, watched and deleted; what others follow already, with them. */
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { parseApiVersion } from "../../api/object.ts";
import type { DiscoveredKind, Discovery } from "../../client/discovery.ts";
import type { Informer } from "../../client/informer/informer.ts";
import type { Informers } from "../../client/informer/informers.ts";
import { followMetadata, type Source, type SourceOptions } from "./metadata-source.ts";

const NEEDED_VERBS = ["list", "watch", "delete"];
/** Many, short-lived, and never owned: nothing is gained by following them. */
const IGNORED = new Set(["events.", "events.events.k8s.io"]);

export class Sources {
  private readonly options: SourceOptions;
  private readonly informers: Informers;
  private readonly forget: (kind: DiscoveredKind) => void;
  private readonly followed = new Map<string, Source>();
  private kinds = new Map<string, DiscoveredKind>();

  /** `forget`: of a kind that is followed no more, nothing is known any more. */
  constructor(informers: Informers, options: SourceOptions, forget: (kind: DiscoveredKind) => void) {
    this.informers = informers;
    this.options = options;
    this.forget = forget;
  }

  /** Resolves with the first whole picture of every kind that is followed now. */
  async synced(): Promise<void> {
    await Promise.all([...this.followed.values()].map((source) => source.synced));
  }

  /** The kind that an owner reference names; undefined where no such kind is served. */
  kindOf({ apiVersion, kind }: OwnerReference): DiscoveredKind | undefined {
    return this.kinds.get(`${kind}.${parseApiVersion(apiVersion).group}`);
  }

  sourceOf(kind: DiscoveredKind): Source | undefined {
    return this.followed.get(keyOf(kind));
  }

  /** Follows what is served now and nothing else. */
  follow({ resources, failed }: Discovery): void {
    const silent = new Set(failed.map(({ groupVersion }) => parseApiVersion(groupVersion).group));
    const kinds = new Map<string, DiscoveredKind>();
    for (const kind of resources) kinds.set(`${kind.kind}.${kind.group}`, kind);
    for (const [name, kind] of this.kinds)
      if (silent.has(kind.group) && !kinds.has(name)) kinds.set(name, kind);
    this.kinds = kinds;
    const wanted = new Map<string, DiscoveredKind>();
    for (const kind of kinds.values()) {
      if (IGNORED.has(`${kind.plural}.${kind.group}`)) continue;
      if (NEEDED_VERBS.every((verb) => kind.verbs.includes(verb))) wanted.set(keyOf(kind), kind);
    }
    for (const [key, source] of this.followed) {
      if (wanted.has(key)) continue;
      source.stop();
      this.followed.delete(key);
      this.forget(source.kind);
    }
    for (const [key, kind] of wanted) if (!this.followed.has(key)) this.followed.set(key, this.open(kind));
  }

  stop(): void {
    for (const source of this.followed.values()) source.stop();
    this.followed.clear();
  }

  private open(kind: DiscoveredKind): Source {
    const informer = this.informers.whole(kind);
    return informer ? share(kind, informer, this.options) : followMetadata(kind, this.options);
  }
}

function keyOf({ group, version, plural }: DiscoveredKind): string {
  return `${plural}.${version}.${group}`;
}

function share(kind: DiscoveredKind, informer: Informer<KubeObject>, { seen, gone }: SourceOptions): Source {
  const stop = informer.subscribe(({ now, was }) => {
    if (was && was.metadata.uid !== now?.metadata.uid) gone(was.metadata.uid!);
    if (now) seen(kind, now);
  });
  informer.start();
  return {
    kind,
    synced: informer.synced,
    uidOf: (namespace, name) => informer.lister.get(namespace, name)?.metadata.uid,
    namespaceOf: (uid) =>
      informer.lister.list().find(({ metadata }) => metadata.uid === uid)?.metadata.namespace,
    stop,
  };
}
