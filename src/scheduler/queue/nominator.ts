/** Pods that are to get a node once their victims are gone: others of less priority must not take the room meanwhile. */
import type { PodInfo } from "../framework/pod-info.ts";

const NONE: readonly PodInfo[] = [];

/** The pods that are to get one node. */
interface Nominated {
  pods: Map<string, PodInfo>;
  /** Those of at least this priority, as long as nothing changes: asked of every node in every cycle. */
  priority: number;
  found: readonly PodInfo[] | undefined;
}

export class Nominator {
  private readonly byNode = new Map<string, Nominated>();
  private readonly nodeOf = new Map<string, string>();

  get size(): number {
    return this.nodeOf.size;
  }

  node(uid: string): string | undefined {
    return this.nodeOf.get(uid);
  }

  nominate(info: PodInfo, node: string): void {
    this.remove(info.uid);
    this.nodeOf.set(info.uid, node);
    const there = this.byNode.get(node);
    if (there) enter(there, info);
    else this.byNode.set(node, { pods: new Map([[info.uid, info]]), priority: 0, found: undefined });
  }

  /** Keeps the nomination, with what the pod is now. */
  update(info: PodInfo): void {
    const node = this.nodeOf.get(info.uid);
    const there = node === undefined ? undefined : this.byNode.get(node);
    if (there) enter(there, info);
  }

  remove(uid: string): void {
    const node = this.nodeOf.get(uid);
    if (node === undefined) return;
    this.nodeOf.delete(uid);
    const there = this.byNode.get(node);
    if (!there) return;
    there.pods.delete(uid);
    there.found = undefined;
    if (there.pods.size === 0) this.byNode.delete(node);
  }

  /** Those of at least this priority but for `self`; the same list as long as they are the same. */
  on(node: string, priority: number, self: string): readonly PodInfo[] {
    const there = this.byNode.get(node);
    if (!there) return NONE;
    if (there.pods.has(self)) return select(there, priority, self);
    if (!there.found || there.priority !== priority) {
      there.found = select(there, priority, self);
      there.priority = priority;
    }
    return there.found;
  }
}

function enter(there: Nominated, info: PodInfo): void {
  there.pods.set(info.uid, info);
  there.found = undefined;
}

function select({ pods }: Nominated, priority: number, self: string): readonly PodInfo[] {
  const found: PodInfo[] = [];
  for (const info of pods.values()) if (info.uid !== self && info.priority >= priority) found.push(info);
  return found.length > 0 ? found : NONE;
}
