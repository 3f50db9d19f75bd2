/** Writes what was chosen for a pod's claims, and waits until the volumes are theirs. */
import { PersistentVolume } from "../../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../../api/core/pods.ts";
import { BOUND_BY_CONTROLLER, SELECTED_NODE } from "../../../api/storage/binding/annotations.ts";
import { volumeAllowsNode } from "../../../api/storage/binding/topology.ts";
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

export async function bindVolumes(
  choice: Assumed,
  pod: Pod,
  node: NodeInfo,
  storage: Storage,
  { client, informers, clock }: PluginContext,
  timeout: number,
): Promise<void> {
  for (const volume of choice.volumes) await client.resource(PersistentVolume).update(volume);
  for (const claim of choice.claims) {
    await client.resource(PersistentVolumeClaim, claim.metadata.namespace).update(claim);
  }
  const waiting = Promise.withResolvers<void>();
  const look = (): void => {
    try {
      if (areBound(choice, node, storage)) waiting.resolve();
    } catch (error) {
      waiting.reject(error);
    }
  };
  const leave = [
    storage.claims.informer.subscribe(({ key }) => {
      if (choice.awaited.some(({ metadata }) => key === `${metadata.namespace}/${metadata.name}`)) look();
    }),
    storage.volumes.informer.subscribe(look),
    informers.of(Pod).subscribe(({ now, was }) => {
      if (!now && was?.metadata.uid === pod.metadata.uid) {
        waiting.reject(
          new Error(
            `pod ${JSON.stringify(`${pod.metadata.namespace}/${pod.metadata.name}`)} does not exist any more`,
          ),
        );
      }
    }),
    clock.setTimer(timeout, () => waiting.reject(new Error("timed out waiting for the condition"))),
  ];
  try {
    look();
    await waiting.promise;
  } catch (error) {
    throw new Error(`binding volumes: ${(error as Error).message}`, { cause: error });
  } finally {
    for (const each of leave) each();
  }
}
