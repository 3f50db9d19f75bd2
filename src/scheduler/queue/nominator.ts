/** Pods that are to get a node once their victims are gone: others of less priority must not take the room meanwhile. */
import type { PodInfo } from "../framework/pod-info.ts";

const NONE: readonly PodInfo[] = [];

export class Nominator {
  private readonly byNode = new Map<string, Map<string, PodInfo>>();
  private readonly nodeOf = new Map<string, string>();
  private readonly changed: (node: string) => void;

  /** `changed` is told of each node whose pods to come are others than before. */
  constructor(changed: (node: string) => void) {
    this.changed = changed;
  }

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
    if (there) there.set(info.uid, info);
    else this.byNode.set(node, new Map([[info.uid, info]]));
    this.changed(node);
  }

  /** Keeps the nomination, with what the pod is now. */
  update(info: PodInfo): void {
    const node = this.nodeOf.get(info.uid);
    if (node === undefined) return;
    this.byNode.get(node)?.set(info.uid, info);
    this.changed(node);
  }

  remove(uid: string): void {
    const node = this.nodeOf.get(uid);
    if (node === undefined) return;
    this.nodeOf.delete(uid);
    const there = this.byNode.get(node);
    there?.delete(uid);
    if (there?.size === 0) this.byNode.delete(node);
    this.changed(node);
  }

  /** Those of at least this priority but for `self`. */
  on(node: string, priority: number, self: string): readonly PodInfo[] {
    const there = this.byNode.get(node);
    if (!there) return NONE;
    const found: PodInfo[] = [];
    for (const info of there.values()) {
      if (info.uid !== self && info.priority >= priority) found.push(info);
    }
    return found;
  }
}
