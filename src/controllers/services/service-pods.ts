/**
 * The pods of each service, kept up to date by what changes: an event of a pod costs a look-up for each of its labels,
 * however many services there are. One for all controllers of a process.
 */
import { Pod } from "../../api/core/pods.ts";
import { Service } from "../../api/core/services.ts";
import type { Change } from "../../client/informer/informer.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { isPublishedOtherwise } from "./published-pod.ts";
import { Selectors, sameLabels } from "./selectors.ts";

const shared = new WeakMap<Informers, ServicePods>();
/** So few services are looked up one by one. */
const FEW = 4;

export class ServicePods {
  private readonly selectors = new Selectors();
  private readonly pods: Lister<Pod>;
  /** Names of pods by service. Absent until they are asked for: most services are first seen before their pods. */
  private readonly members = new Map<string, Set<string>>();
  /** Services without members, by namespace. */
  private readonly unknown = new Map<string, Set<string>>();
  private readonly handlers: ((service: string) => void)[] = [];

  private constructor(informers: Informers) {
    const pods = informers.of(Pod);
    this.pods = pods.lister;
    informers.of(Service).subscribe((change) => this.serviceChanged(change));
    pods.subscribe((change) => this.podChanged(change));
  }

  static of(informers: Informers): ServicePods {
    const known = shared.get(informers) ?? new ServicePods(informers);
    shared.set(informers, known);
    return known;
  }

  /** Told the keys of services of whose pods something changed that endpoints show. */
  subscribe(handler: (service: string) => void): void {
    this.handlers.push(handler);
  }

  servicesOf({ metadata }: Pod): string[] {
    return this.selectors.matching(metadata.namespace ?? "", metadata.labels);
  }

  podsOf({ metadata }: Service): Pod[] {
    const { namespace = "", name } = metadata;
    const key = `${namespace}/${name}`;
    if (!this.members.has(key)) this.fill(namespace);
    const pods: Pod[] = [];
    for (const member of this.members.get(key) ?? []) {
      const pod = this.pods.get(namespace, member);
      if (pod) pods.push(pod);
    }
    return pods;
  }

  private serviceChanged({ key, now, was }: Change<Service>): void {
    const namespace = (now ?? was)!.metadata.namespace ?? "";
    if (now && !this.selectors.set(key, namespace, now.spec?.selector)) return;
    if (!now) this.selectors.delete(key);
    this.members.delete(key);
    const unknown = this.unknown.get(namespace);
    if (!this.selectors.has(key)) unknown?.delete(key);
    else if (unknown) unknown.add(key);
    else this.unknown.set(namespace, new Set([key]));
  }

  /** All unknown services of the namespace in one walk over its pods. */
  private fill(namespace: string): void {
    const unknown = this.unknown.get(namespace);
    if (!unknown) return;
    this.unknown.delete(namespace);
    for (const key of unknown) this.members.set(key, new Set());
    for (const { metadata } of this.pods.list(namespace)) {
      const { name = "", labels } = metadata;
      if (unknown.size <= FEW) {
        for (const key of unknown) if (this.selectors.matches(key, labels)) this.members.get(key)?.add(name);
        continue;
      }
      for (const key of this.selectors.matching(namespace, labels)) {
        if (unknown.has(key)) this.members.get(key)?.add(name);
      }
    }
  }

  private podChanged({ now, was }: Change<Pod>): void {
    const moved = !now || !was || !sameLabels(now.metadata.labels, was.metadata.labels);
    if (!moved && !isPublishedOtherwise(now, was)) return;
    const { namespace = "", name = "" } = (now ?? was)!.metadata;
    const before = was && moved ? this.selectors.matching(namespace, was.metadata.labels) : [];
    const after = now ? this.selectors.matching(namespace, now.metadata.labels) : [];
    if (moved) {
      for (const key of before) this.members.get(key)?.delete(name);
      for (const key of after) this.members.get(key)?.add(name);
    }
    for (const handler of this.handlers) {
      for (const key of before) handler(key);
      for (const key of after) handler(key);
    }
  }
}
