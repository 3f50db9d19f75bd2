/**
 * Who belongs to whom. Only what has owners, or holds its own deletion up for its dependents, is in the graph: of all
 * other objects, the owners among them, nothing is kept.
 */
import type { KubeObject, ObjectMeta, OwnerReference } from "../../api/object.ts";
import type { DiscoveredKind } from "../../client/discovery.ts";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** What the graph needs to know of an object. */
export interface Known {
  metadata: Pick<
    ObjectMeta,
    "name" | "namespace" | "uid" | "resourceVersion" | "ownerReferences" | "finalizers" | "deletionTimestamp"
  >;
}

export interface Item {
  readonly kind: DiscoveredKind;
  readonly uid: string;
  /** As it was last seen. */
  known: Known;
}

const NONE: readonly OwnerReference[] = Object.freeze([]);

export function ownersOf({ metadata }: Known): readonly OwnerReference[] {
  return metadata.ownerReferences ?? NONE;
}

export function isDeleting({ metadata }: Known): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function waitsWith({ metadata }: Known, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers?.includes(finalizer) ?? false);
}

/** It goes once those that block it have gone. */
export function deletesDependents(known: Known): boolean {
  return waitsWith(known, FOREGROUND);
}

/** It goes once its dependents do not name it any more. */
export function orphansDependents(known: Known): boolean {
  return waitsWith(known, ORPHAN);
}

/** An owner of a namespace owns nothing in another. */
export function mayOwn(owner: Item, dependent: Item): boolean {
  const { namespace } = owner.known.metadata;
  return namespace === undefined || namespace === dependent.known.metadata.namespace;
}

export class Graph {
  private readonly items = new Map<string, Item>();
  private readonly dependents = new Map<string, Set<Item>>();

  get size(): number {
    return this.items.size;
  }

  get(uid: string): Item | undefined {
    return this.items.get(uid);
  }

  all(): IterableIterator<Item> {
    return this.items.values();
  }

  of(kind: DiscoveredKind): Item[] {
    return [...this.items.values()].filter((item) => item.kind === kind);
  }

  dependentsOf(uid: string): readonly Item[] {
    return [...(this.dependents.get(uid) ?? [])];
  }

  /**
   * Takes note of an object as it is now. Returns whom that makes worth looking at; the object itself where its owners
   * are new, or where it has begun to wait for its dependents.
   */
  enter(kind: DiscoveredKind, known: Known | KubeObject): string[] {
    const uid = known.metadata.uid!;
    const item = this.items.get(uid);
    const owners = ownersOf(known);
    const waits = deletesDependents(known) || orphansDependents(known);
    if (!item) {
      if (owners.length === 0 && !waits) return [];
      const entered = { kind, uid, known };
      this.items.set(uid, entered);
      this.link(entered);
      return waits ? [uid, ...this.uidsOfDependents(uid)] : [uid];
    }
    const was = item.known;
    if (owners.length === 0 && !waits) return this.leave(uid, false);
    const woken: string[] = [];
    if (sameOwners(ownersOf(was), owners)) item.known = known;
    else {
      woken.push(uid, ...this.waitingOwners(item));
      this.unlink(item);
      item.known = known;
      this.link(item);
    }
    if (waits && !deletesDependents(was) && !orphansDependents(was)) {
      woken.push(uid, ...this.uidsOfDependents(uid));
    }
    return woken;
  }

  /** Takes note that an object has gone, or has nothing to do with others any more. Returns whom that concerns. */
  leave(uid: string, gone = true): string[] {
    const item = this.items.get(uid);
    const woken = gone ? this.uidsOfDependents(uid) : [];
    if (!item) return woken;
    woken.push(...this.waitingOwners(item));
    this.unlink(item);
    this.items.delete(uid);
    return woken;
  }

  private uidsOfDependents(uid: string): string[] {
    const dependents = this.dependents.get(uid);
    return dependents ? Array.from(dependents, (item) => item.uid) : [];
  }

  private waitingOwners({ known }: Item): string[] {
    const waiting: string[] = [];
    for (const { uid } of ownersOf(known)) {
      const owner = this.items.get(uid);
      if (owner && deletesDependents(owner.known)) waiting.push(uid);
    }
    return waiting;
  }

  private link(item: Item): void {
    for (const { uid } of ownersOf(item.known)) {
      const dependents = this.dependents.get(uid);
      if (dependents) dependents.add(item);
      else this.dependents.set(uid, new Set([item]));
    }
  }

  private unlink(item: Item): void {
    for (const { uid } of ownersOf(item.known)) {
      const dependents = this.dependents.get(uid);
      dependents?.delete(item);
      if (dependents?.size === 0) this.dependents.delete(uid);
    }
  }
}

function sameOwners(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i]!, b[i]!];
    if (one.uid !== other.uid || one.name !== other.name || one.kind !== other.kind) return false;
    if (one.apiVersion !== other.apiVersion) return false;
    if (one.blockOwnerDeletion !== other.blockOwnerDeletion) return false;
  }
  return true;
}
