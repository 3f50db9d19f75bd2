/** Keeps pods to nodes that can use their volumes, and binds claims that wait for a node (upstream: plugins/volumebinding). */
import { Node } from "../../../api/core/node.ts";
import { PersistentVolume } from "../../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../../api/core/persistent-volume-claim.ts";
import { claimKeysOf } from "../../../api/storage/binding/pod-claims.ts";
import { CSIDriver } from "../../../api/storage/csi-driver.ts";
import { CSIStorageCapacity } from "../../../api/storage/csi-storage-capacity.ts";
import { StorageClass } from "../../../api/storage/storage-class.ts";
import { keyOf } from "../../../client/informer/object-store.ts";
import { type Given, readArguments } from "../../framework/arguments.ts";
import { AssumedObjects } from "../../framework/assumed-objects.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import {
  type Cycle,
  definePlugin,
  type NodeFilter,
  type PluginContext,
  requeueWhen,
} from "../../framework/plugin.ts";
import { sameLabels } from "../../framework/pod-changes.ts";
import { type Rejection, reject } from "../../framework/rejection.ts";
import { type Assumed, assumed, VolumeBinder } from "./bind-volumes.ts";
import { type Choice, choose, claimsOf, type PodClaims, REASONS, type Storage } from "./pod-volumes.ts";

const NAME = "VolumeBinding";

interface Arguments {
  /** Milliseconds. */
  timeout: number;
}

function readVolumeArguments(given: Given | undefined): Arguments {
  return readArguments(given, (from) => {
    if (from.has("shape")) {
      const why = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring";
      throw from.invalid("shape", from.raw("shape"), why);
    }
    return { timeout: 1000 * from.number("bindTimeoutSeconds", 600, 0, Number.POSITIVE_INFINITY) };
  });
}

const ADVICE: Readonly<Record<string, string>> = {
  [REASONS.conflict]:
    "add a persistent volume that the claim can have on such a node, or a storage class that makes them",
  [REASONS.affinity]: "add nodes where the pod's volumes can be used",
  [REASONS.missing]: "the claim's volume is gone: restore it, or make the claim anew",
  [REASONS.space]: "free storage of the claim's class near a node, or let the claim ask for less",
};

const IMMEDIATE = reject(
  NAME,
  "unresolvable",
  "pod has unbound immediate PersistentVolumeClaims",
  () => "wait for the claims' volumes, or see why they are not made: kubectl describe pvc",
);

/** What a cycle keeps from filter to bind. */
interface State {
  choices: Map<string, Choice>;
  assumed?: Assumed;
}

class ClaimFilter implements NodeFilter {
  private readonly claims: PodClaims;
  private readonly storage: Storage;
  private readonly state: State;
  private readonly rejections = new Map<string, Rejection>();

  constructor(claims: PodClaims, storage: Storage, state: State) {
    this.claims = claims;
    this.storage = storage;
    this.state = state;
  }

  filter(node: NodeInfo): Rejection | undefined {
    const chosen = choose(this.claims, node, this.storage);
    if ("bindings" in chosen) {
      const isEmpty = chosen.bindings.length === 0 && chosen.provisions.length === 0;
      if (!isEmpty) this.state.choices.set(node.name, chosen);
      return undefined;
    }
    const key = chosen.join();
    let rejection = this.rejections.get(key);
    if (!rejection) {
      const advice = () => chosen.map((reason) => ADVICE[reason]).join("; ");
      rejection = reject(NAME, "unresolvable", chosen, advice);
      this.rejections.set(key, rejection);
    }
    return rejection;
  }
}

class VolumeBinding {
  private readonly binder: VolumeBinder;
  private readonly storage: Storage;
  private readonly timeout: number;

  constructor(context: PluginContext, { timeout }: Arguments) {
    const { informers } = context;
    this.timeout = timeout;
    this.storage = {
      claims: new AssumedObjects(informers.of(PersistentVolumeClaim)),
      volumes: new AssumedObjects(informers.of(PersistentVolume)),
      classes: informers.of(StorageClass).lister,
      drivers: informers.of(CSIDriver).lister,
      capacities: informers.of(CSIStorageCapacity).lister,
    };
    this.binder = new VolumeBinder(context, this.storage);
  }

  prepareFilter({ pod, state }: Cycle): NodeFilter | Rejection | undefined {
    const claims = claimsOf(pod, this.storage);
    if (claims === undefined) return undefined;
    if (typeof claims === "string") {
      return reject(NAME, "unresolvable", claims, () => "make the claim that the pod's volume names");
    }
    if (claims.immediate.length > 0) return IMMEDIATE;
    const own: State = { choices: new Map() };
    state.set(NAME, own);
    return new ClaimFilter(claims, this.storage, own);
  }

  reserve({ state }: Cycle, node: NodeInfo): undefined {
    const own = state.get(NAME) as State | undefined;
    const choice = own?.choices.get(node.name);
    if (!own || !choice) return;
    own.assumed = assumed(choice, node.name);
    for (const volume of own.assumed.volumes) this.storage.volumes.assume(volume);
    for (const claim of own.assumed.claims) this.storage.claims.assume(claim);
  }

  unreserve({ state }: Cycle): void {
    const own = state.get(NAME) as State | undefined;
    for (const volume of own?.assumed?.volumes ?? []) this.storage.volumes.restore(volume);
    for (const claim of own?.assumed?.claims ?? []) this.storage.claims.restore(claim);
  }

  mustPreBind({ state }: Cycle): boolean {
    return (state.get(NAME) as State | undefined)?.assumed !== undefined;
  }

  async preBind({ state, pod }: Cycle, node: NodeInfo): Promise<undefined> {
    const own = state.get(NAME) as State | undefined;
    if (!own?.assumed) return;
    await this.binder.bind(own.assumed, pod, node, this.timeout);
  }
}

const HINTS = [
  requeueWhen(PersistentVolumeClaim, ({ now, waiting }) => {
    return now !== undefined && claimKeysOf(waiting.pod).includes(keyOf(now));
  }),
  requeueWhen(PersistentVolume, ({ now }) => now !== undefined),
  requeueWhen(
    StorageClass,
    ({ was, now }) =>
      now !== undefined &&
      (!was || JSON.stringify(was.allowedTopologies) !== JSON.stringify(now.allowedTopologies)),
  ),
  requeueWhen(
    CSIStorageCapacity,
    ({ was, now }) =>
      now !== undefined &&
      (!was || was.capacity !== now.capacity || was.maximumVolumeSize !== now.maximumVolumeSize),
  ),
  requeueWhen(
    CSIDriver,
    ({ was, now }) => was?.spec?.storageCapacity === true && now?.spec?.storageCapacity !== true,
  ),
  requeueWhen(
    Node,
    ({ was, now }) => now !== undefined && (!was || !sameLabels(was.metadata.labels, now.metadata.labels)),
  ),
];

export const volumeBinding = definePlugin<Arguments>({
  name: NAME,
  arguments: readVolumeArguments,
  start(context, args) {
    const binding = new VolumeBinding(context, args);
    return {
      prepareFilter: (cycle) => binding.prepareFilter(cycle),
      reserve: (cycle, node) => binding.reserve(cycle, node),
      unreserve: (cycle) => binding.unreserve(cycle),
      mustPreBind: (cycle) => binding.mustPreBind(cycle),
      preBind: (cycle, node) => binding.preBind(cycle, node),
      requeue: HINTS,
    };
  },
});
