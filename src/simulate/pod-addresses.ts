/** Gives the pods of one node addresses of its pod networks. */
import { type IPRange, ipRange } from "../api/core/service/ip-range.ts";

export class PodAddresses {
  /** Where nobody gives the node a network. */
  private readonly fallback: string;
  private ranges: IPRange[] = [];
  private cidrs = "";
  private readonly taken = new Map<string, number>();
  private readonly used = new Set<number>();
  private next = 1;

  constructor(fallback: string) {
    this.fallback = fallback;
  }

  /** The node's networks: spec.podCIDRs. */
  set networks(cidrs: readonly string[]) {
    const text = cidrs.join();
    if (text === "" || text === this.cidrs) return;
    this.cidrs = text;
    this.ranges = cidrs.map(ipRange);
    this.taken.clear();
    this.used.clear();
  }

  get known(): boolean {
    return this.ranges.length > 0;
  }

  /** Those of a pod, from each network one; `had` is the first that it has already. The first address is the node's. */
  of(uid: string, had?: string): readonly string[] {
    if (!this.known) this.networks = [this.fallback];
    let index = this.taken.get(uid);
    if (index === undefined) {
      index = this.indexOf(had) ?? this.free();
      this.taken.set(uid, index);
      this.used.add(index);
    }
    return this.ranges.map((range) => range.addressAt(index));
  }

  release(uid: string): void {
    const index = this.taken.get(uid);
    if (index === undefined) return;
    this.taken.delete(uid);
    this.used.delete(index);
  }

  private free(): number {
    const size = Math.max(2, ...this.ranges.map((range) => range.size));
    for (let tries = 0; tries < size; tries++) {
      const index = this.next;
      this.next = index + 1 >= size ? 1 : index + 1;
      if (!this.used.has(index)) return index;
    }
    return this.next;
  }

  private indexOf(ip: string | undefined): number | undefined {
    const [range] = this.ranges;
    if (ip === undefined || !range?.contains(ip)) return undefined;
    for (let index = 0; index < Math.min(range.size, 65_536); index++) {
      if (range.addressAt(index) === ip) return index;
    }
    return undefined;
  }
}
