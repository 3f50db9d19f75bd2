/** Which devices are taken: by what the informer shows, and by pods that are on their way to their nodes. */
import { allocatedDevices } from "../../../api/resource/allocation/pools.ts";
import type { ResourceClaim } from "../../../api/resource/resource-claim.ts";
import type { ResourceSlice } from "../../../api/resource/resource-slice.ts";
import type { Lister } from "../../../client/informer/object-store.ts";

export class Allocations {
  private readonly claims: Lister<ResourceClaim>;
  /** By uid: claims with an allocation that the informer does not show yet. */
  private readonly underWay = new Map<string, ResourceClaim>();

  constructor(claims: Lister<ResourceClaim>) {
    this.claims = claims;
  }

  begin(claim: ResourceClaim): void {
    this.underWay.set(claim.metadata.uid ?? "", claim);
  }

  end({ metadata }: ResourceClaim): void {
    this.underWay.delete(metadata.uid ?? "");
  }

  isUnderWay({ metadata }: ResourceClaim): boolean {
    this.settle();
    return this.underWay.has(metadata.uid ?? "");
  }

  devices(): ReadonlySet<string> {
    this.settle();
    return allocatedDevices([...this.claims.list(), ...this.underWay.values()]);
  }

  /** What the informer shows by now, and what is gone, need not be remembered. */
  private settle(): void {
    for (const [uid, { metadata }] of this.underWay) {
      const shown = this.claims.get(metadata.namespace ?? "", metadata.name ?? "");
      if (shown?.metadata.uid !== uid || shown.status?.allocation) this.underWay.delete(uid);
    }
  }
}

/** The slices that a node may reach: its own pools, and those that are not of one node. */
export class SlicesByNode {
  private readonly own = new Map<string, ResourceSlice[]>();
  private readonly shared: ResourceSlice[] = [];

  constructor(slices: readonly ResourceSlice[]) {
    const pools = new Map<string, ResourceSlice[]>();
    for (const slice of slices) {
      const key = `${slice.spec.driver}/${slice.spec.pool.name}`;
      const peers = pools.get(key);
      if (peers) peers.push(slice);
      else pools.set(key, [slice]);
    }
    for (const pool of pools.values()) {
      const { nodeName } = pool[0]!.spec;
      const isLocal = nodeName !== undefined && pool.every(({ spec }) => spec.nodeName === nodeName);
      const known = isLocal ? this.own.get(nodeName) : this.shared;
      if (known) known.push(...pool);
      else this.own.set(nodeName!, [...pool]);
    }
  }

  of(node: string): readonly ResourceSlice[] {
    const own = this.own.get(node);
    if (!own) return this.shared;
    return this.shared.length === 0 ? own : [...own, ...this.shared];
  }
}
