/**
 * What a pass over all nodes of a DaemonSet found, kept so that a change of a pod costs a look at its node alone.
 *
 *   pass over all nodes ──▶ standing ──▶ looks at the nodes of changed pods ──▶ …
 *          ▲                   │
 *          └─── gone: the set or its status changed, a node is judged otherwise, pods of an old
 *               revision are there, not all could be carried out, or time alone changes something
 *
 * It only saves work: without it, all nodes are looked at.
 */
import type { DaemonSet, DaemonSetStatus } from "../../api/schema/apps.v1.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { deepEqual, semanticEqual } from "../../machinery/json/equal.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";
import { hashOfPod, targetNode } from "./daemon-pod.ts";
import type { PodsByNode, Seen } from "./plan.ts";
import { type Counts, count, noCounts, shareOf, statusFrom } from "./status.ts";

/** Pods by the DaemonSet that controls them and the node that they are meant for. */
export const DAEMON_NODE = "daemonNode";

export function daemonNode(pod: Pod): readonly string[] {
  const owner = controllerOf(pod);
  const node = owner?.kind === "DaemonSet" ? targetNode(pod) : undefined;
  return node === undefined ? [] : [daemonNodeKey(owner!.uid, node)];
}

export function daemonNodeKey(set: string, node: string): string {
  return `${set}/${node}`;
}

export class Standing {
  readonly hash: string;
  /** When something changes by time alone. */
  lookAgain: number | undefined;
  private readonly set: DaemonSet;
  private readonly collisions: number;
  private readonly counts: Counts = noCounts();
  private readonly shares = new Map<string, number>();
  /** What the set should say of its pods. */
  status: DaemonSetStatus;

  constructor(seen: Seen, byNode: PodsByNode, collisions: number, lookAgain: number | undefined) {
    this.set = seen.set;
    this.hash = seen.hash;
    this.collisions = collisions;
    this.lookAgain = lookAgain;
    this.status = this.look(seen, byNode);
  }

  /** Whether the set is still the one that was looked at, in all that the passes go by. */
  fits({ metadata, status }: DaemonSet, now: number): boolean {
    const { uid, generation, annotations } = this.set.metadata;
    return (
      metadata.uid === uid &&
      metadata.generation === generation &&
      (this.lookAgain === undefined || this.lookAgain > now) &&
      deepEqual(metadata.annotations, annotations) &&
      semanticEqual(status, this.status)
    );
  }

  /** Counts the nodes of `seen` anew, of which it has all pods. */
  look(seen: Pick<Seen, "set" | "hash" | "judge" | "now" | "nodes">, byNode: PodsByNode): DaemonSetStatus {
    for (const node of seen.nodes) {
      const name = node.metadata.name!;
      const share = shareOf(seen, node, byNode);
      const before = this.shares.get(name);
      if (before === share) continue;
      if (before !== undefined) count(this.counts, before, -1);
      count(this.counts, share, 1);
      this.shares.set(name, share);
    }
    this.status = statusFrom(seen.set, this.counts, this.collisions);
    return this.status;
  }
}

/** Whether all pods are of the current revision, so that none waits for another to be updated. */
export function isUpToDate(pods: readonly Pod[], hash: string): boolean {
  return pods.every((pod) => hashOfPod(pod) === hash);
}

interface Known {
  standing: Standing | undefined;
  /** Nodes of pods that changed since. */
  nodes: Set<string>;
  /** Counts what made a look at all nodes necessary: a pass that began before has not seen it. */
  drops: number;
}

/** What a pass begins with. */
export interface Taken {
  standing: Standing | undefined;
  nodes: ReadonlySet<string>;
  drops: number;
}

/** Of all sets, by their keys. */
export class Standings {
  private readonly known = new Map<string, Known>();

  /** What there is to go by; its nodes count as looked at, and it is gone until it is kept again. */
  take(key: string): Taken {
    const { standing, nodes, drops } = this.of(key);
    this.known.set(key, { standing: undefined, nodes: new Set(), drops });
    return { standing, nodes, drops };
  }

  keep(key: string, standing: Standing, { drops }: Taken): void {
    const known = this.of(key);
    if (known.drops === drops) known.standing = standing;
  }

  /** All nodes must be looked at. */
  drop(key: string): void {
    const known = this.of(key);
    known.standing = undefined;
    known.drops++;
  }

  forget(key: string): void {
    this.known.delete(key);
  }

  changed(key: string, node: string): void {
    this.of(key).nodes.add(node);
  }

  has(key: string): boolean {
    return this.known.get(key)?.standing !== undefined;
  }

  private of(key: string): Known {
    const known = this.known.get(key) ?? { standing: undefined, nodes: new Set(), drops: 0 };
    this.known.set(key, known);
    return known;
  }
}
