/** Writes what was chosen for a pod's claims, and waits until the volumes are theirs. */
import { PersistentVolume } from "../../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../../api/core/pods.ts";
import { BOUND_BY_CONTROLLER, SELECTED_NODE } from "../../../api/storage/binding/annotations.ts";
import { volumeAllowsNode } from "../../../api/storage/binding/topology.ts";
import { keyOf } from "../../../client/informer/object-store.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { PluginContext } from "../../framework/plugin.ts";
import { type Choice, isBound, type Storage } from "./pod-volumes.ts";

/** A choice as it will be written. */
export interface Assumed {
  volumes: readonly PersistentVolume[];
  claims: readonly PersistentVolumeClaim[];
  /** All claims that the pod waits for. */
  awaited: readonly PersistentVolumeClaim[];
}

/** The objects with the choice in them. */
export function assumed({ bindings, provisions }: Choice, node: string): Assumed {
  const volumes = bindings.map(({ claim, volume }) => {
    const { namespace, name, uid, resourceVersion } = claim.metadata;
    const { claimRef } = volume.spec;
    // Who reserved the volume by hand does not want it to be freed by a controller.
    const annotations = claimRef
      ? volume.metadata.annotations
      : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: "yes" };
    const reference = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace,
      name,
      uid,
      resourceVersion,
    };
    return {
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec: { ...volume.spec, claimRef: { ...claimRef, ...reference } },
    };
  });
  const claims = provisions.map((claim) => ({
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [SELECTED_NODE]: node } },
  }));
  return { volumes, claims, awaited: [...bindings.map(({ claim }) => claim), ...provisions] };
}

/** Undefined: not yet. Throws where it cannot come to be any more. */
function areBound(
  { volumes, claims, awaited }: Assumed,
  { node }: NodeInfo,
  storage: Storage,
): true | undefined {
  for (const { metadata } of volumes) {
    const volume = storage.volumes.get("", metadata.name ?? "");
    if (!volume) throw new Error(`failed to get pv ${JSON.stringify(metadata.name)} from cache`);
    if (!volume.spec.claimRef?.uid)
      throw new Error(`ClaimRef got reset for pv ${JSON.stringify(metadata.name)}`);
  }
  for (const { metadata } of claims) {
    const now = storage.claims.get(metadata.namespace ?? "", metadata.name ?? "");
    if (now && !isBound(now) && now.metadata.annotations?.[SELECTED_NODE] !== node.metadata.name) {
      throw new Error(`provisioning failed for PVC ${JSON.stringify(metadata.name)}`);
    }
  }
  for (const { metadata } of awaited) {
    const { namespace = "", name = "" } = metadata;
    const claim = storage.claims.get(namespace, name);
    if (!claim) throw new Error(`failed to get pvc ${JSON.stringify(`${namespace}/${name}`)} from cache`);
    if (!isBound(claim)) return undefined;
    const volume = storage.volumes.get("", claim.spec.volumeName ?? "");
    if (!volume) return undefined;
    if (volumeAllowsNode(volume, node)) continue;
    const [pv, where] = [volume.metadata.name, node.metadata.name].map((each) => JSON.stringify(each));
    throw new Error(`pv ${pv} node affinity doesn't match node ${where}: no matching NodeSelectorTerms`);
  }
  return true;
}

interface Waiter {
  choice: Assumed;
  pod: Pod;
  node: NodeInfo;
  end: PromiseWithResolvers<void>;
}

export class VolumeBinder {
  private readonly context: PluginContext;
  private readonly storage: Storage;
  private readonly waiters = new Set<Waiter>();

  constructor(context: PluginContext, storage: Storage) {
    this.context = context;
    this.storage = storage;
    // Once for all pods: whoever subscribes is told of everything there is.
    storage.claims.informer.subscribe(({ key }) => {
      for (const waiter of this.waiters) {
        if (waiter.choice.awaited.some((claim) => keyOf(claim) === key)) this.look(waiter);
      }
    });
    storage.volumes.informer.subscribe(() => {
      for (const waiter of this.waiters) this.look(waiter);
    });
    context.informers.of(Pod).subscribe(({ now, was }) => {
      if (now || this.waiters.size === 0) return;
      for (const { pod, end } of this.waiters) {
        if (pod.metadata.uid !== was?.metadata.uid) continue;
        end.reject(new Error(`pod ${JSON.stringify(keyOf(pod))} does not exist any more`));
      }
    });
  }

  /** Rejects where the volumes are not the pod's within `timeout` milliseconds, or cannot be any more. */
  async bind(choice: Assumed, pod: Pod, node: NodeInfo, timeout: number): Promise<void> {
    const { client, clock } = this.context;
    for (const volume of choice.volumes) await client.resource(PersistentVolume).update(volume);
    for (const claim of choice.claims) {
      await client.resource(PersistentVolumeClaim, claim.metadata.namespace).update(claim);
    }
    const waiter: Waiter = { choice, pod, node, end: Promise.withResolvers() };
    this.waiters.add(waiter);
    const cancel = clock.setTimer(timeout, () => {
      waiter.end.reject(new Error("timed out waiting for the condition"));
    });
    try {
      this.look(waiter);
      await waiter.end.promise;
    } catch (error) {
      throw new Error(`binding volumes: ${(error as Error).message}`, { cause: error });
    } finally {
      cancel();
      this.waiters.delete(waiter);
    }
  }

  private look({ choice, node, end }: Waiter): void {
    try {
      if (areBound(choice, node, this.storage)) end.resolve();
    } catch (error) {
      end.reject(error);
    }
  }
}
