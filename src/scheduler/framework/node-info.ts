/** A node with the pods that are on it, or are on their way to it, and what is left of it. */
import type { Node } from "../../api/core/node.ts";
import type { PodInfo } from "./pod-info.ts";
import { addResources, noResources, type Resources, resourcesOf } from "./resources.ts";

const NO_IMAGES: ReadonlyMap<string, number> = new Map();

export class NodeInfo {
  readonly name: string;
  /** By `namespace/name`. */
  readonly pods = new Map<string, PodInfo>();
  /** Those of `pods` with any pod affinity or anti-affinity, and those with a required anti-affinity. */
  readonly podsWithAffinity = new Set<PodInfo>();
  readonly podsWithRequiredAntiAffinity = new Set<PodInfo>();
  readonly requested: Resources = noResources();
  /** What scores compare: pods without requests count as if they had small ones. */
  readonly scored: Resources = noResources();
  /** `protocol/port` → addresses that use it, each as often as it does. */
  readonly hostPorts = new Map<string, string[]>();
  node: Node;
  allocatable: Resources;
  /** Pods that the node takes. */
  allowedPods: number;
  /** Bytes of each image that the node has, by each of its names. */
  images: ReadonlyMap<string, number> = NO_IMAGES;
  /** Goes up with every change of the node, its pods, or the pods that are to get it. */
  generation = 0;
  /** Where else the generation is told: beside those of other nodes it is compared faster than node by node. */
  private board: Int32Array | undefined;
  private place = 0;

  /** `like`: one of the same Node, from which is taken what was read off. */
  constructor(node: Node, like?: NodeInfo) {
    this.name = node.metadata.name ?? "";
    this.node = node;
    this.allocatable = like?.allocatable ?? noResources();
    this.allowedPods = like?.allowedPods ?? 0;
    if (like) this.images = like.images;
    else this.setNode(node);
  }

  setNode(node: Node): void {
    this.node = node;
    const allocatable = node.status?.allocatable;
    this.allocatable = resourcesOf(allocatable);
    this.allowedPods = Number(resourcesOf({ count: allocatable?.pods ?? "0" }).scalars?.get("count") ?? 0);
    this.images = imagesOf(node);
    this.changed();
  }

  /** Something changed on which answers about this node may depend. */
  changed(): void {
    this.generation++;
    if (this.board) this.board[this.place] = this.generation;
  }

  /** Tells its generation at this place, too, until it is given another. */
  tellAt(board: Int32Array, place: number): void {
    this.board = board;
    this.place = place;
    board[place] = this.generation;
  }

  addPod(info: PodInfo): void {
    this.removePod(info.key);
    this.pods.set(info.key, info);
    if (info.hasAffinity) this.podsWithAffinity.add(info);
    if (info.requiredAntiAffinity.length > 0) this.podsWithRequiredAntiAffinity.add(info);
    addResources(this.requested, info.requests);
    addResources(this.scored, info.scored);
    for (const { protocol, port, ip } of info.hostPorts) {
      const key = `${protocol}/${port}`;
      const used = this.hostPorts.get(key);
      if (used) used.push(ip);
      else this.hostPorts.set(key, [ip]);
    }
    this.changed();
  }

  /** Returns what was there. */
  removePod(key: string): PodInfo | undefined {
    const info = this.pods.get(key);
    if (!info) return undefined;
    this.pods.delete(key);
    this.podsWithAffinity.delete(info);
    this.podsWithRequiredAntiAffinity.delete(info);
    addResources(this.requested, info.requests, -1);
    addResources(this.scored, info.scored, -1);
    for (const { protocol, port, ip } of info.hostPorts) {
      const used = this.hostPorts.get(`${protocol}/${port}`);
      used?.splice(used.indexOf(ip), 1);
    }
    this.changed();
    return info;
  }

  /** For trying what would be if pods came or went; shares the pods, not the sums. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node, this);
    for (const [key, info] of this.pods) copy.pods.set(key, info);
    for (const info of this.podsWithAffinity) copy.podsWithAffinity.add(info);
    for (const info of this.podsWithRequiredAntiAffinity) copy.podsWithRequiredAntiAffinity.add(info);
    for (const [key, used] of this.hostPorts) if (used.length > 0) copy.hostPorts.set(key, [...used]);
    addResources(copy.requested, this.requested);
    addResources(copy.scored, this.scored);
    return copy;
  }
}

function imagesOf({ status }: Node): ReadonlyMap<string, number> {
  const images = status?.images as { names?: string[]; sizeBytes?: number }[] | undefined;
  if (!images || images.length === 0) return NO_IMAGES;
  const sizes = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of images) for (const name of names) sizes.set(name, sizeBytes);
  return sizes;
}
