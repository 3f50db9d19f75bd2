/**
 * Deletes what has lost all its owners, and lets go what waits for its dependents.
 *
 *   an owner has gone ─────────────▶ its dependents: deleted where no owner is left, else rid of the reference
 *   deleted, in the foreground ────▶ its dependents: deleted ──▶ none blocks it any more: let go
 *   deleted, leaving orphans ──────▶ its dependents: rid of the reference ──▶ let go
 *
 * That an owner is absent is believed only of its watch, which saw it go, or of the server itself.
 */
import { CustomResourceDefinition } from "../../api/apiextensions/custom-resource-definition.ts";
import { APIService } from "../../api/apiregistration/api-service.ts";
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { type DiscoveredKind, discover } from "../../client/discovery.ts";
import type { ResourceClient } from "../../client/resource-client.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { type ControllerContext, defineController, input } from "../runtime/controller.ts";
import { AbsentOwners } from "./absent-owners.ts";
import { blockers, decide, isSettled, type OwnerState } from "./decide.ts";
import {
  deletesDependents,
  FOREGROUND,
  Graph,
  type Item,
  type Known,
  ORPHAN,
  orphansDependents,
  ownersOf,
} from "./graph.ts";
import { Sources } from "./sources.ts";

/** Stands for the kinds that are served. */
const KINDS = "*";
/** Milliseconds after which the collector goes on without the kinds that do not answer. */
const PATIENCE = 30_000;
/** Attempts to change an object that others change too. */
const ATTEMPTS = 5;
/** Dependents that are rid of a reference at the same time. */
const AT_ONCE = 32;

export const garbageCollector = defineController<{
  definitions: CustomResourceDefinition;
  services: APIService;
}>({
  name: "garbage-collector-controller",
  account: "generic-garbage-collector",
  queue: "garbage_collector_attempt_to_delete",
  workers: 20,
  inputs: {
    definitions: input(CustomResourceDefinition, ({ now, was }) =>
      now && was && deepEqual(now.status, was.status) && deepEqual(now.spec, was.spec) ? [] : [KINDS],
    ),
    services: input(APIService, ({ now, was }) =>
      now && was && deepEqual(now.status, was.status) ? [] : [KINDS],
    ),
  },
  start(context) {
    const collector = new Collector(context);
    context.again(KINDS);
    return (key) => (key === KINDS ? collector.followKinds() : collector.look(key));
  },
});

class Collector {
  private readonly context: ControllerContext;
  private readonly graph = new Graph();
  private readonly absent = new AbsentOwners();
  private readonly sources: Sources;
  /** Objects that were not as the graph has them. */
  private readonly outdated = new Set<string>();
  /** Whether owners that are not known can be told from those that have not been seen yet. */
  private whole = false;

  constructor(context: ControllerContext) {
    this.context = context;
    const { client, clock, random, informers, signal } = context;
    const seen = (kind: DiscoveredKind, known: Known): void => this.see(kind, known);
    const gone = (uid: string): void => this.lose(uid);
    const forget = (kind: DiscoveredKind): void => {
      for (const item of this.graph.of(kind)) this.wake(this.graph.leave(item.uid));
    };
    this.sources = new Sources(informers, { client, clock, random, seen, gone }, forget);
    signal.addEventListener("abort", () => this.sources.stop(), { once: true });
  }

  async followKinds(): Promise<WorkResult> {
    const { client, clock, signal } = this.context;
    const discovery = await discover(client);
    if (signal.aborted) return undefined;
    this.sources.follow(discovery);
    if (this.whole) return undefined;
    const late = Promise.withResolvers<void>();
    const cancel = clock.setTimer(PATIENCE, late.resolve);
    void Promise.race([this.sources.synced(), late.promise]).then(() => {
      cancel();
      this.begin();
    });
    return undefined;
  }

  async look(uid: string): Promise<WorkResult> {
    const item = this.graph.get(uid);
    if (!item) return undefined;
    const { known } = item;
    try {
      if (orphansDependents(item.known)) await this.orphan(item);
      else if (deletesDependents(item.known) && blockers(this.graph, item).length === 0) {
        await this.release(item, FOREGROUND);
      } else if (!isSettled(item)) await this.judge(item);
      return undefined;
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      if (!isReason(error, "Conflict")) throw error;
      // The object has moved on: look again as soon as the graph knows how.
      if (this.graph.get(uid)?.known === known) this.outdated.add(uid);
      else this.wake([uid]);
      return undefined;
    }
  }

  private begin(): void {
    if (this.whole) return;
    this.whole = true;
    for (const item of this.graph.all()) {
      const waits = deletesDependents(item.known) || orphansDependents(item.known);
      if (waits || !this.hasAllOwners(item)) this.wake([item.uid]);
    }
  }

  private see(kind: DiscoveredKind, known: Known): void {
    const uid = known.metadata.uid!;
    const woken = this.graph.enter(kind, known);
    if (this.outdated.size > 0 && this.outdated.delete(uid)) this.wake([uid]);
    if (woken.length === 0 || !this.whole) return;
    const item = this.graph.get(uid);
    const waits = deletesDependents(known) || orphansDependents(known);
    // Most of what is made belongs to what is there: that needs no further look.
    const rests = item !== undefined && !waits && this.hasAllOwners(item);
    this.wake(rests ? woken.filter((other) => other !== uid) : woken);
  }

  private lose(uid: string): void {
    const woken = this.graph.leave(uid);
    this.outdated.delete(uid);
    if (woken.length === 0) return;
    this.absent.gone(uid);
    this.wake(woken);
  }

  private wake(uids: readonly string[]): void {
    if (this.whole) for (const uid of uids) this.context.again(uid);
  }

  /** As far as is known here, and none of them on its way out. */
  private hasAllOwners(item: Item): boolean {
    return ownersOf(item.known).every((owner) => this.knownState(item, owner) === "present");
  }

  private knownState(item: Item, owner: OwnerReference): OwnerState | undefined {
    const { namespace = "" } = item.known.metadata;
    if (this.absent.has(owner, namespace)) return "absent";
    const kind = this.sources.kindOf(owner);
    if (!kind) return undefined;
    if (kind.scope === "Namespaced" && namespace === "") return "unknown";
    const place = kind.scope === "Namespaced" ? namespace : "";
    if (this.sources.sourceOf(kind)?.uidOf(place, owner.name) !== owner.uid) return undefined;
    const known = this.graph.get(owner.uid);
    return known && deletesDependents(known.known) ? "waiting" : "present";
  }

  private async stateOf(item: Item, owner: OwnerReference): Promise<OwnerState> {
    const known = this.knownState(item, owner);
    if (known === "unknown") this.report(item, owner);
    if (known) return known;
    const { namespace = "" } = item.known.metadata;
    const kind = this.sources.kindOf(owner);
    if (!kind) throw new Error(`no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`);
    const place = kind.scope === "Namespaced" ? namespace : "";
    try {
      const found = await this.context.client.resource(kind, place).get(owner.name);
      if (found.metadata.uid === owner.uid) return deletesDependents(found) ? "waiting" : "present";
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
    this.absent.notFound(owner, namespace);
    const elsewhere = this.sources.sourceOf(kind)?.namespaceOf(owner.uid);
    if (elsewhere !== undefined && elsewhere !== place) this.report(item, owner);
    return "absent";
  }

  private async judge(item: Item): Promise<void> {
    const states: OwnerState[] = [];
    for (const owner of ownersOf(item.known)) states.push(await this.stateOf(item, owner));
    const decision = decide(this.graph, item, states);
    if (decision.do === "disown") await this.patch(item, { ownerReferences: decision.owners });
    if (decision.do !== "delete") {
      if (deletesDependents(item.known)) this.wakeBlockers(item);
      return;
    }
    const { uid, known } = item;
    if (deletesDependents(known)) {
      this.wakeBlockers(item);
      return;
    }
    let { resourceVersion } = known.metadata;
    if (decision.unblock) {
      const owners = ownersOf(known).map((owner) => ({ ...owner, blockOwnerDeletion: false }));
      resourceVersion = await this.patch(item, { ownerReferences: owners });
    }
    // The decision holds for the object as it was seen, and for no other.
    const preconditions = { uid, resourceVersion };
    await this.objects(item).delete(known.metadata.name!, {
      propagationPolicy: decision.policy,
      preconditions,
    });
  }

  private wakeBlockers(owner: Item): void {
    const waiting = blockers(this.graph, owner).filter(({ known }) => !deletesDependents(known));
    this.wake(waiting.map(({ uid }) => uid));
  }

  private async orphan(owner: Item): Promise<void> {
    const dependents = this.graph.dependentsOf(owner.uid);
    for (let from = 0; from < dependents.length; from += AT_ONCE) {
      const part = dependents.slice(from, from + AT_ONCE).map((item) => this.disown(item, owner.uid));
      const failed = (await Promise.allSettled(part)).find(({ status }) => status === "rejected");
      if (failed) throw (failed as PromiseRejectedResult).reason;
    }
    await this.release(owner, ORPHAN);
  }

  private async disown(item: Item, owner: string): Promise<void> {
    let { known } = item;
    for (let attempt = 1; ; attempt++) {
      const left = ownersOf(known).filter(({ uid }) => uid !== owner);
      if (left.length === ownersOf(known).length) return;
      try {
        await this.patch(item, { ownerReferences: left }, known);
        return;
      } catch (error) {
        if (isReason(error, "NotFound")) return;
        if (!isReason(error, "Conflict") || attempt === ATTEMPTS) throw error;
      }
      const fresh = await this.fresh(item);
      if (!fresh) return;
      known = fresh;
    }
  }

  /** The object as the server has it; undefined where it has none, or another of that name. */
  private async fresh(item: Item): Promise<KubeObject | undefined> {
    try {
      const found = await this.objects(item).get(item.known.metadata.name!);
      return found.metadata.uid === item.uid ? found : undefined;
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  private async release(item: Item, finalizer: string): Promise<void> {
    const finalizers = item.known.metadata.finalizers?.filter((name) => name !== finalizer) ?? [];
    await this.patch(item, { finalizers });
  }

  /** Returns the revision written. Lists are replaced whole, which the revision seen makes safe. */
  private async patch(
    item: Item,
    change: { ownerReferences?: readonly OwnerReference[]; finalizers?: readonly string[] },
    known = item.known,
  ): Promise<string | undefined> {
    const { name = "", uid, resourceVersion } = known.metadata;
    const lists = Object.fromEntries(
      Object.entries(change).map(([list, values]) => [list, values.length > 0 ? values : null]),
    );
    const metadata = { uid, resourceVersion, ...lists };
    const patched = await this.objects(item).patch(name, { metadata }, { type: "merge" });
    return patched.metadata.resourceVersion;
  }

  private objects({ kind, known }: Item): ResourceClient<KubeObject> {
    return this.context.client.resource(kind, known.metadata.namespace);
  }

  private report({ kind, known }: Item, owner: OwnerReference): void {
    const { name, namespace = "", uid, resourceVersion } = known.metadata;
    const { apiVersion, kind: ownerKind, name: ownerName, uid: ownerUID } = owner;
    const asked = `[${apiVersion}/${ownerKind}, namespace: ${namespace}, name: ${ownerName}, uid: ${ownerUID}]`;
    const { group, version } = kind;
    this.context.events.record(
      {
        kind: kind.kind,
        apiVersion: group === "" ? version : `${group}/${version}`,
        name,
        namespace,
        uid,
        resourceVersion,
      },
      "Warning",
      "OwnerRefInvalidNamespace",
      `ownerRef ${asked} does not exist in namespace ${JSON.stringify(namespace)}`,
    );
  }
}
