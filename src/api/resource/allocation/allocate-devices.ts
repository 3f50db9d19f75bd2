/**
 * Finds devices for the claims of a pod on one node (KEP-4381, KEP-4816, KEP-4815). All claims of the pod are satisfied
 * or none: requests are tried in their order, devices in the order of pools, and what leads nowhere is taken back.
 */
import type { LabelledNode } from "../../core/node-selector.ts";
import type {
  AllocationResult,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
} from "../../schema/resource.v1.generated.ts";
import { type Constraint, constraintOf } from "./constraints.ts";
import { Counters } from "./counters.ts";
import { type Pool, type PoolDevice, poolsFor } from "./pools.ts";
import { AllocationError, type Alternative, alternativesOf, toleratesTaints } from "./requests.ts";
import { type Pick, resultOf } from "./result.ts";

export interface AllocationView {
  /** All of each pool that the node may reach; others may be left out. */
  slices: Iterable<ResourceSlice>;
  classNamed(name: string): DeviceClass | undefined;
  /** Those in use (allocatedDevices), with those that pods under way are about to get. */
  allocated: ReadonlySet<string>;
  /** Whether a CEL expression holds of a device; throws where it cannot be told. */
  selects(expression: string, entry: PoolDevice): boolean;
}

/** Devices of one claim. */
const MOST_DEVICES = 32;
/** Devices tried before the search is given up: constraints can make it exponential. */
const MOST_TRIES = 200_000;

/** One result for each claim, in their order; undefined: the node has not what is wanted. Throws AllocationError. */
export function allocateDevices(
  claims: readonly ResourceClaim[],
  node: LabelledNode,
  view: AllocationView,
): AllocationResult[] | undefined {
  const search = new Search(claims, poolsFor(node, view.slices), view);
  const picks = search.run();
  return picks && claims.map((claim, i) => resultOf(claim, picks[i]!));
}

interface ClaimSearch {
  /** By request. */
  alternatives: Alternative[][];
  constraints: Constraint[];
  picks: Pick[];
}

class Search {
  private readonly claims: ClaimSearch[];
  private readonly pools: readonly Pool[];
  private readonly view: AllocationView;
  private readonly taken: Set<string>;
  private readonly counters: Counters;
  private readonly candidates = new Map<Alternative, PoolDevice[]>();
  private tries = 0;

  constructor(claims: readonly ResourceClaim[], pools: readonly Pool[], view: AllocationView) {
    this.pools = pools;
    this.view = view;
    this.taken = new Set(view.allocated);
    this.counters = new Counters(view.allocated);
    this.claims = claims.map(({ metadata, spec }) => {
      try {
        const { requests = [], constraints = [] } = spec.devices ?? {};
        return {
          alternatives: requests.map((request) => alternativesOf(request, view.classNamed)),
          constraints: constraints.map(constraintOf),
          picks: [],
        };
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error;
        throw new AllocationError(`claim ${metadata.namespace}/${metadata.name}, ${error.message}`);
      }
    });
  }

  run(): Pick[][] | undefined {
    return this.place(0, 0) ? this.claims.map(({ picks }) => picks) : undefined;
  }

  /** Whether everything from this request on found its devices, which are in `picks` then. */
  private place(claimIndex: number, requestIndex: number): boolean {
    const claim = this.claims[claimIndex];
    if (!claim) return true;
    const alternatives = claim.alternatives[requestIndex];
    if (!alternatives) return this.place(claimIndex + 1, 0);
    const then = (): boolean => this.place(claimIndex, requestIndex + 1);
    return alternatives.some((alternative) => this.fill(claim, alternative, then));
  }

  private fill(claim: ClaimSearch, alternative: Alternative, then: () => boolean): boolean {
    const candidates = this.candidatesOf(alternative);
    const { count = candidates.length } = alternative;
    if (count === 0 || count > candidates.length || claim.picks.length + count > MOST_DEVICES) return false;
    const all = alternative.count === undefined;
    /** In the order of candidates, so that no set of devices is tried twice. */
    const next = (done: number, from: number): boolean => {
      if (done === count) return then();
      const last = all ? from : candidates.length - (count - done);
      for (let i = from; i <= last; i++) {
        if (this.take(claim, alternative, candidates[i]!)) {
          if (next(done + 1, i + 1)) return true;
          this.giveBack(claim);
        }
      }
      return false;
    };
    return next(0, 0);
  }

  private take(claim: ClaimSearch, alternative: Alternative, entry: PoolDevice): boolean {
    if (++this.tries > MOST_TRIES) throw new AllocationError("too many ways to combine devices were tried");
    const { adminAccess } = alternative;
    // Whoever administers a device shares it with whoever uses it.
    if (!adminAccess && this.taken.has(entry.id)) return false;
    if (adminAccess && claim.picks.some((pick) => pick.entry === entry)) return false;
    if (!adminAccess && !this.counters.take(entry)) return false;
    for (const [i, constraint] of claim.constraints.entries()) {
      if (constraint.add(alternative, entry)) continue;
      for (const added of claim.constraints.slice(0, i)) added.remove(alternative);
      if (!adminAccess) this.counters.giveBack(entry);
      return false;
    }
    if (!adminAccess) this.taken.add(entry.id);
    claim.picks.push({ alternative, entry });
    return true;
  }

  private giveBack(claim: ClaimSearch): void {
    const { alternative, entry } = claim.picks.pop()!;
    for (const constraint of claim.constraints) constraint.remove(alternative);
    if (alternative.adminAccess) return;
    this.taken.delete(entry.id);
    this.counters.giveBack(entry);
  }

  private candidatesOf(alternative: Alternative): PoolDevice[] {
    const known = this.candidates.get(alternative);
    if (known) return known;
    const found: PoolDevice[] = [];
    for (const pool of this.pools) {
      const whole = !pool.incomplete && !pool.invalid;
      if (!whole && alternative.count === undefined) {
        const why = pool.incomplete ? "being updated" : "invalid";
        const what = `resource pool ${pool.driver}/${pool.name} is currently ${why}`;
        throw new AllocationError(`request ${alternative.name}: asks for all devices, but ${what}`);
      }
      if (pool.invalid) continue;
      for (const entry of pool.reachable) if (this.suits(alternative, entry)) found.push(entry);
    }
    this.candidates.set(alternative, found);
    return found;
  }

  private suits(alternative: Alternative, entry: PoolDevice): boolean {
    if (!alternative.expressions.every((expression) => this.view.selects(expression, entry))) return false;
    return toleratesTaints(alternative, entry);
  }
}
