/** Allocates devices for the resource claims of pods (upstream: plugins/dynamicresources, KEP-4381). */
import { Node } from "../../../api/core/node.ts";
import { type NodeMatcher, nodeSelectorMatcher } from "../../../api/core/node-selector.ts";
import { Pod } from "../../../api/core/pods.ts";
import { allocateDevices } from "../../../api/resource/allocation/allocate-devices.ts";
import type { PoolDevice } from "../../../api/resource/allocation/pools.ts";
import { AllocationError } from "../../../api/resource/allocation/requests.ts";
import { DeviceClass } from "../../../api/resource/device-class.ts";
import { canBeReserved, isReservedForPod, resourceClaimKeysOf } from "../../../api/resource/pod-claims.ts";
import { ResourceClaim } from "../../../api/resource/resource-claim.ts";
import { ResourceSlice } from "../../../api/resource/resource-slice.ts";
import type { AllocationResult } from "../../../api/schema/resource.v1.generated.ts";
import { keyOf } from "../../../client/informer/object-store.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import {
  type Cycle,
  definePlugin,
  type NodeFilter,
  type PluginContext,
  type PostFilterResult,
  requeueWhen,
} from "../../framework/plugin.ts";
import { isOwnChange, sameLabels } from "../../framework/pod-changes.ts";
import { type Rejection, reject } from "../../framework/rejection.ts";
import { Allocations, SlicesByNode } from "./allocations.ts";
import { claimsOf } from "./pod-claims.ts";
import { deallocateClaim, reserveClaim, unreserveClaim } from "./write-claim.ts";

const NAME = "DynamicResources";

const ELSEWHERE = reject(
  NAME,
  "unresolvable",
  "resourceclaim not available on the node",
  () => "the claim has devices of other nodes already: use another claim, or free it",
);
const NO_DEVICES = reject(
  NAME,
  "unresolvable",
  "cannot allocate all claims",
  () => "free devices as the claims ask for on a node, or add a node that has them",
);

function refuse(reason: string): Rejection {
  return reject(NAME, "unresolvable", reason, () => "see the pod's claims: kubectl describe resourceclaim");
}

/** What a cycle keeps from filter to bind. */
interface State {
  /** Of the pod; those without an allocation come from `wanted`. */
  claims: readonly ResourceClaim[];
  wanted: readonly ResourceClaim[];
  /** By node: what the wanted ones would get, in their order. */
  found: Map<string, readonly AllocationResult[]>;
  /** Claims whose devices some node cannot use. */
  elsewhere: Set<ResourceClaim>;
  reserved?: readonly AllocationResult[];
}

const ONLY_DRIVER = /^device\.driver == "([a-z0-9.-]+)"$/;

/** CEL of the one form that names the driver; of others it cannot be told whether they hold. */
function selects(expression: string, { pool }: PoolDevice): boolean {
  const driver = ONLY_DRIVER.exec(expression.trim())?.[1];
  if (driver !== undefined) return pool.driver === driver;
  throw new AllocationError(`selector ${JSON.stringify(expression)} cannot be evaluated`);
}

class DynamicResources {
  private readonly context: PluginContext;
  private readonly claims;
  private readonly slices;
  private readonly classes;
  private readonly allocations: Allocations;

  constructor(context: PluginContext) {
    const { informers } = context;
    this.context = context;
    this.claims = informers.of(ResourceClaim).lister;
    this.slices = informers.of(ResourceSlice).lister;
    this.classes = informers.of(DeviceClass).lister;
    this.allocations = new Allocations(this.claims);
  }

  preEnqueue(pod: Pod): Rejection | undefined {
    if (!pod.spec?.resourceClaims) return undefined;
    const claims = claimsOf(pod, this.claims);
    if (typeof claims !== "string") return undefined;
    return reject(NAME, "gated", claims, () => "make the claims that the pod names");
  }

  prepareFilter({ pod, state }: Cycle): NodeFilter | Rejection | undefined {
    if (!pod.spec?.resourceClaims) return undefined;
    const claims = claimsOf(pod, this.claims);
    if (typeof claims === "string") return refuse(claims);
    if (claims.length === 0) return undefined;
    for (const claim of claims) {
      if (claim.status?.allocation) {
        if (!isReservedForPod(claim, pod) && !canBeReserved(claim)) return refuse("resourceclaim in use");
      } else if (this.allocations.isUnderWay(claim)) {
        return refuse(`resource claim ${keyOf(claim)} is in the process of being allocated`);
      }
    }
    const wanted = claims.filter(({ status }) => !status?.allocation);
    const own: State = { claims, wanted, found: new Map(), elsewhere: new Set() };
    state.set(NAME, own);
    return { filter: this.filter(own) };
  }

  private filter(own: State): NodeFilter["filter"] {
    const placed: [ResourceClaim, NodeMatcher][] = [];
    for (const claim of own.claims) {
      const selector = claim.status?.allocation?.nodeSelector;
      if (selector) placed.push([claim, nodeSelectorMatcher(selector)]);
    }
    const { wanted } = own;
    const slices = wanted.length > 0 ? new SlicesByNode(this.slices.list()) : undefined;
    const allocated = wanted.length > 0 ? this.allocations.devices() : new Set<string>();
    const classNamed = (name: string): DeviceClass | undefined => this.classes.get("", name);
    let broken: Rejection | undefined;
    return ({ node, name }) => {
      let isElsewhere = false;
      for (const [claim, matches] of placed) {
        if (matches(node)) continue;
        own.elsewhere.add(claim);
        isElsewhere = true;
      }
      if (isElsewhere) return ELSEWHERE;
      if (!slices || broken) return broken;
      try {
        const view = { slices: slices.of(name), classNamed, allocated, selects };
        const found = allocateDevices(wanted, node, view);
        if (!found) return NO_DEVICES;
        own.found.set(name, found);
        return undefined;
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error;
        broken = refuse(error.message);
        return broken;
      }
    };
  }

  /** A claim that has devices where the pod cannot go, and no user, is better without them. */
  postFilter({ pod, state }: Cycle): PostFilterResult | Promise<PostFilterResult> {
    const own = state.get(NAME) as State | undefined;
    if (!own) return { message: "no new claims to deallocate" };
    for (const claim of own.elsewhere) {
      const others = claim.status?.reservedFor?.some(({ uid }) => uid !== pod.metadata.uid);
      if (others) continue;
      const done = { message: "deallocation of ResourceClaim completed" };
      return deallocateClaim(this.context.client, claim).then(() => done);
    }
    return { message: "still not schedulable" };
  }

  reserve({ state }: Cycle, { name }: NodeInfo): undefined {
    const own = state.get(NAME) as State | undefined;
    const found = own?.found.get(name);
    if (!own || !found) return;
    own.reserved = found;
    for (const [i, claim] of own.wanted.entries()) {
      this.allocations.begin({ ...claim, status: { ...claim.status, allocation: found[i] } });
    }
  }

  unreserve({ state, pod }: Cycle): void {
    const own = state.get(NAME) as State | undefined;
    if (!own) return;
    for (const claim of own.reserved ? own.wanted : []) this.allocations.end(claim);
    for (const { metadata } of own.claims) {
      const shown = this.claims.get(metadata.namespace ?? "", metadata.name ?? "");
      // What could not be taken back is freed by the controller once the pod is gone.
      if (shown && isReservedForPod(shown, pod))
        unreserveClaim(this.context.client, shown, pod).catch(() => {});
    }
  }

  async preBind({ state, pod }: Cycle): Promise<undefined> {
    const own = state.get(NAME) as State | undefined;
    if (!own) return;
    for (const claim of own.claims) {
      const at = own.wanted.indexOf(claim);
      await reserveClaim(this.context.client, claim, pod, at < 0 ? undefined : own.reserved?.[at]);
    }
  }
}

const HINTS = [
  requeueWhen(ResourceClaim, ({ was, now, waiting }) => {
    if (now && resourceClaimKeysOf(waiting.pod).includes(keyOf(now))) return true;
    // Devices of others that came free.
    return was?.status?.allocation !== undefined && !now?.status?.allocation;
  }),
  requeueWhen(ResourceSlice),
  requeueWhen(DeviceClass, ({ now }) => now !== undefined),
  requeueWhen(
    Pod,
    (change) =>
      isOwnChange(change, change.waiting) &&
      JSON.stringify(change.was?.status?.resourceClaimStatuses) !==
        JSON.stringify(change.now?.status?.resourceClaimStatuses),
  ),
  requeueWhen(
    Node,
    ({ was, now }) => now !== undefined && (!was || !sameLabels(was.metadata.labels, now.metadata.labels)),
  ),
];

export const dynamicResources = definePlugin({
  name: NAME,
  start(context) {
    const resources = new DynamicResources(context);
    return {
      preEnqueue: (pod) => resources.preEnqueue(pod),
      prepareFilter: (cycle) => resources.prepareFilter(cycle),
      postFilter: (cycle) => resources.postFilter(cycle),
      reserve: (cycle, node) => resources.reserve(cycle, node),
      unreserve: (cycle) => resources.unreserve(cycle),
      mustPreBind: ({ state }) => state.has(NAME),
      preBind: (cycle) => resources.preBind(cycle),
      requeue: HINTS,
    };
  },
});
