/** What the claims of pods are bound to. */

import type { Node } from "../../api/core/node.ts";
import { nodeSelectorMatcher } from "../../api/core/node-selector.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { Pod, Volume } from "../../api/schema/core.v1.generated.ts";
import type { Client } from "../../client/client.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";
import { type PersistentSource, VolumeError } from "./volume-plugin.ts";

/**
 * Undefined where the volume has none. Throws VolumeError where the claim is not ready to be mounted; one that is on its
 * way out is, where it `isMounted` already.
 */
export async function persistentSource(
  client: Client,
  pod: Pod,
  volume: Volume,
  isMounted = false,
): Promise<PersistentSource | undefined> {
  const name = claimName(pod, volume);
  if (name === undefined) return undefined;
  const { namespace = "" } = pod.metadata;
  const claim = await client
    .resource(PersistentVolumeClaim, namespace)
    .get(name)
    .catch((error: Error) => {
      throw unprocessed(namespace, name, `failed to fetch PVC from API server: ${error.message}`);
    });
  const why = volume.ephemeral && !isOwn(claim, pod) ? notOwn(claim, pod) : notReady(claim, isMounted);
  if (why !== undefined) throw unprocessed(namespace, name, why);
  const volumeName = claim.spec?.volumeName ?? "";
  const found = await client
    .resource(PersistentVolume)
    .get(volumeName)
    .catch((error: Error) => {
      throw unprocessed(
        namespace,
        name,
        `failed to fetch PV ${JSON.stringify(volumeName)} from API server: ${error.message}`,
      );
    });
  const wrong = notBoundTo(found, claim);
  if (wrong !== undefined) throw unprocessed(namespace, name, wrong);
  const mode = wrongMode(pod, volume, found);
  if (mode !== undefined) throw unprocessed(namespace, name, mode);
  return { claim, volume: found };
}

export function claimName(pod: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  return persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod.metadata.name}-${name}` : undefined);
}

/** Throws VolumeError where the volume is on other nodes only. */
export function checkNodeAffinity(volume: PersistentVolume, node: Node | undefined): void {
  const required = volume.spec?.nodeAffinity?.required;
  if (!required || !node || nodeSelectorMatcher(required)(node)) return;
  throw new VolumeError("no matching NodeSelectorTerms", { operation: "MountVolume.NodeAffinity check" });
}

function isOwn(claim: PersistentVolumeClaim, pod: Pod): boolean {
  return controllerOf(claim)?.uid === pod.metadata.uid;
}

function notOwn({ metadata }: PersistentVolumeClaim, pod: Pod): string {
  const { namespace, name } = pod.metadata;
  return `PVC ${metadata.namespace}/${metadata.name} was not created for pod ${namespace}/${name} (pod is not owner)`;
}

function notReady(claim: PersistentVolumeClaim, isMounted: boolean): string | undefined {
  const { metadata, spec, status } = claim;
  if (metadata.deletionTimestamp && !isMounted) return "PVC is being deleted";
  if (status?.phase !== "Bound") return "PVC is not bound";
  return spec?.volumeName ? undefined : "PVC has empty pvc.Spec.VolumeName";
}

function notBoundTo({ metadata, spec }: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const found = `found PV object ${metadata.name} but its pv.Spec.ClaimRef`;
  if (!spec?.claimRef) return `${found} is nil indicating it is not yet bound to the claim`;
  const { uid } = spec.claimRef;
  if (uid === claim.metadata.uid) return undefined;
  return `${found}.UID ${uid} does not point to claim.UID ${claim.metadata.uid}`;
}

function wrongMode(pod: Pod, { name }: Volume, { spec }: PersistentVolume): string | undefined {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const isBlock = spec?.volumeMode === "Block";
  const mounts = containers.some(({ volumeMounts }) => volumeMounts?.some((mount) => mount.name === name));
  if (isBlock && mounts) return `volume ${name} has volumeMode Block, but is specified in volumeMounts`;
  const devices = containers.some(({ volumeDevices }) => volumeDevices?.some((one) => one.name === name));
  if (!isBlock && devices)
    return `volume ${name} has volumeMode Filesystem, but is specified in volumeDevices`;
  return undefined;
}

function unprocessed(namespace: string, name: string, why: string): VolumeError {
  return new VolumeError(`error processing PVC ${namespace}/${name}: ${why}`, { operation: "" });
}
