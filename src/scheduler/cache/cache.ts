/**
 * The nodes with their pods as the scheduler knows them: what the informers show, and pods that were given a node but
 * are not yet seen there (assumed).
 *
 *   assume ──▶ assumed ──(the informer shows the pod on a node)──▶ seen ──(deleted or ended)──▶ gone
 *                 └──────────────(binding failed: forget)──────────────────────────────────────▶ gone
 *
 * A scheduling cycle is one turn of the event loop, so nothing changes under it: the cache is its own snapshot. Every
 * event costs the same however many nodes and pods there are.
 */
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import { NodeInfo } from "../framework/node-info.ts";
import type { Nodes } from "../framework/plugin.ts";
import { PodInfo } from "../framework/pod-info.ts";
import { NodeOrder } from "./node-order.ts";

interface Placed {
  info: PodInfo;
  node: string;
  assumed: boolean;
}

export class Cache implements Nodes {
  private readonly nodes = new Map<string, NodeInfo>();
  private readonly order = new NodeOrder();
  /** By uid. */
  private readonly pods = new Map<string, Placed>();
  /** Pods on nodes that are not known: not yet, or no more. By node, then by key. */
  private readonly homeless = new Map<string, Map<string, PodInfo>>();
  readonly withAffinity = new Set<NodeInfo>();
  readonly withRequiredAntiAffinity = new Set<NodeInfo>();

  get list(): readonly NodeInfo[] {
    return this.order.list;
  }

  get generations(): Int32Array {
    return this.order.generations;
  }

  get(name: string): NodeInfo | undefined {
    return this.nodes.get(name);
  }

  get podCount(): number {
    return this.pods.size;
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? "";
    let known = this.nodes.get(name);
    if (known) known.setNode(node);
    else {
      known = new NodeInfo(node);
      this.nodes.set(name, known);
      for (const info of this.homeless.get(name)?.values() ?? []) known.addPod(info);
      this.homeless.delete(name);
      this.index(known);
    }
    this.order.enter(known);
  }

  /** Its pods are kept until they are gone themselves: the node may come back. */
  removeNode(name: string): void {
    const node = this.nodes.get(name);
    if (!node) return;
    this.nodes.delete(name);
    this.order.leave(node);
    this.withAffinity.delete(node);
    this.withRequiredAntiAffinity.delete(node);
    if (node.pods.size > 0) this.homeless.set(name, new Map(node.pods));
  }

  /** The pod is seen on its node; takes the place of what was assumed. */
  setPod(pod: Pod): void {
    const node = pod.spec?.nodeName ?? "";
    const placed = this.pods.get(pod.metadata.uid ?? "");
    if (placed && placed.node === node && sameForScheduling(placed.info.pod, pod)) {
      placed.info.pod = pod;
      placed.assumed = false;
      return;
    }
    if (placed) this.leave(placed);
    this.enter({ info: new PodInfo(pod), node, assumed: false });
  }

  /** The pod is on its way to the node: it takes its room from now on. */
  assume(info: PodInfo, node: string): void {
    this.enter({ info, node, assumed: true });
  }

  /** Takes back what was assumed, unless the pod has been seen meanwhile. */
  forget(uid: string): void {
    if (this.pods.get(uid)?.assumed) this.removePod(uid);
  }

  isAssumed(uid: string): boolean {
    return this.pods.get(uid)?.assumed ?? false;
  }

  removePod(uid: string): void {
    const placed = this.pods.get(uid);
    if (placed) this.leave(placed);
  }

  private enter(placed: Placed): void {
    const { info, node: name } = placed;
    this.pods.set(info.uid, placed);
    const node = this.nodes.get(name);
    if (node) {
      node.addPod(info);
      if (info.hasAffinity) this.index(node);
      return;
    }
    const waiting = this.homeless.get(name);
    if (waiting) waiting.set(info.key, info);
    else this.homeless.set(name, new Map([[info.key, info]]));
  }

  private leave({ info, node: name }: Placed): void {
    this.pods.delete(info.uid);
    const node = this.nodes.get(name);
    if (node) {
      // One of the same name may have come since.
      if (node.pods.get(info.key) === info) node.removePod(info.key);
      if (info.hasAffinity) this.index(node);
      return;
    }
    const waiting = this.homeless.get(name);
    if (waiting?.get(info.key) !== info) return;
    waiting.delete(info.key);
    if (waiting.size === 0) this.homeless.delete(name);
  }

  private index(node: NodeInfo): void {
    if (node.podsWithAffinity.size > 0) this.withAffinity.add(node);
    else this.withAffinity.delete(node);
    if (node.podsWithRequiredAntiAffinity.size > 0) this.withRequiredAntiAffinity.add(node);
    else this.withRequiredAntiAffinity.delete(node);
  }
}

/** Whether nothing changed that a PodInfo reads off: most changes of a pod are of its status. Its node is not asked for. */
export function sameForScheduling(was: Pod, now: Pod): boolean {
  return (
    was.metadata.generation === now.metadata.generation &&
    was.metadata.uid === now.metadata.uid &&
    sameTexts(was.metadata.labels, now.metadata.labels) &&
    sameAllocated(was, now)
  );
}

function sameTexts(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  if (a === b) return true;
  if (!a || !b) return false;
  let count = 0;
  for (const key in a) {
    if (!Object.hasOwn(b, key) || a[key] !== b[key]) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** What the kubelet has given to containers counts beside what they ask for while they are resized. */
function sameAllocated(was: Pod, now: Pod): boolean {
  const before = was.status?.containerStatuses ?? [];
  const after = now.status?.containerStatuses ?? [];
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    if (before[i]?.name !== after[i]?.name && (before[i] ?? after[i])?.allocatedResources) return false;
    if (!sameTexts(before[i]?.allocatedResources, after[i]?.allocatedResources)) return false;
  }
  return true;
}
