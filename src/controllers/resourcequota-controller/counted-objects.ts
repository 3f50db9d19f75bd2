/** The informers of the kinds that quotas count: each is started when the first quota asks for it. */
import type { CustomResourceDefinition } from "../../api/apiextensions/custom-resource-definition.ts";
import { type CountedKind, countName } from "../../api/core/resource-quota/counted-kinds.ts";
import { hasEnded } from "../../api/core/resource-quota/usage.ts";
import { resources } from "../../api/index.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Change, Informer } from "../../client/informer/informer.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import type { ResourceKind } from "../../client/resource-client.ts";

/** `less` where the change may have freed something, so that it is worth counting at once. */
type Changed = (kind: CountedKind, namespace: string, less: boolean) => void;

export class CountedObjects {
  private readonly informers: Informers;
  private readonly definitions: Lister<CustomResourceDefinition>;
  private readonly changed: Changed;
  private readonly started = new Map<string, Informer<KubeObject>>();

  constructor(informers: Informers, definitions: Lister<CustomResourceDefinition>, changed: Changed) {
    this.informers = informers;
    this.definitions = definitions;
    this.changed = changed;
  }

  /** Undefined where no such kind is served; its informer may not have its whole picture yet. */
  of(kind: CountedKind): Informer<KubeObject> | undefined {
    const name = countName(kind);
    const served = builtIn().get(name) ?? this.custom(kind);
    if (!served) return undefined;
    const known = this.started.get(name);
    if (known) return known;
    const informer = this.informers.of<KubeObject>(served);
    this.started.set(name, informer);
    informer.subscribe((change) => this.see(kind, change));
    informer.start();
    return informer;
  }

  private see(kind: CountedKind, change: Change<KubeObject>): void {
    const { namespace } = (change.now ?? change.was)!.metadata;
    const effect = effectOf(kind, change);
    if (namespace && effect !== "none") this.changed(kind, namespace, effect === "less");
  }

  private custom({ group, plural }: CountedKind): ResourceKind | undefined {
    const definition = this.definitions.get("", `${plural}.${group}`);
    const { spec, status } = definition ?? {};
    const established = status?.conditions?.some(
      (condition) => condition.type === "Established" && condition.status === "True",
    );
    const version = spec?.versions.find(({ served }) => served)?.name;
    if (!spec || !established || !version || spec.scope !== "Namespaced") return undefined;
    return { group, version, kind: spec.names.kind, plural, scope: "Namespaced" };
  }
}

function effectOf(kind: CountedKind, { now, was }: Change<KubeObject>): "less" | "more" | "none" {
  if (!now) return "less";
  if (!was) return "more";
  if (kind.group !== "") return kind.plural === "resourceclaims" ? "less" : "none";
  switch (kind.plural) {
    case "pods":
      return now.metadata.generation !== was.metadata.generation ||
        now.metadata.deletionTimestamp !== was.metadata.deletionTimestamp ||
        hasEnded(now) !== hasEnded(was)
        ? "less"
        : "none";
    case "services":
    case "persistentvolumeclaims":
      return "less";
    default:
      return "none";
  }
}

let namespaced: Map<string, ResourceKind> | undefined;

function builtIn(): ReadonlyMap<string, ResourceKind> {
  namespaced ??= new Map(
    resources
      .filter(
        ({ scope, verbs }) => scope === "Namespaced" && verbs.includes("list") && verbs.includes("watch"),
      )
      .map((resource) => [countName(resource), resource]),
  );
  return namespaced;
}
