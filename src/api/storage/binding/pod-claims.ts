/** Which claims the volumes of a pod mean. */
import { controllerOf } from "../../../machinery/meta/owner.ts";
import type { PersistentVolumeClaim, Pod, Volume } from "../../schema/core.v1.generated.ts";

/** The name of the claim that is made for an ephemeral volume. */
export function ephemeralClaimName({ metadata }: Pod, volume: Volume): string {
  return `${metadata.name}-${volume.name}`;
}

/** The name of a volume's claim, its own or one made for it; undefined for volumes of other sorts. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume.ephemeral ? ephemeralClaimName(pod, volume) : undefined;
}

/** `namespace/name` of every claim that the pod's volumes mean: the index `claims` of pods. */
export function claimKeysOf(pod: Pod): readonly string[] {
  const volumes = pod.spec?.volumes;
  if (!volumes) return [];
  let keys: string[] | undefined;
  for (const volume of volumes) {
    const name = claimNameOf(pod, volume);
    if (name === undefined) continue;
    keys ??= [];
    keys.push(`${pod.metadata.namespace}/${name}`);
  }
  return keys ?? [];
}

/** Why a claim is not the one that was made for a pod's ephemeral volume; undefined: it is. */
export function whyNotMadeFor(pod: Pod, claim: PersistentVolumeClaim): string | undefined {
  const { namespace, name, uid } = pod.metadata;
  if (claim.metadata.namespace === namespace && controllerOf(claim)?.uid === uid) return undefined;
  const claimName = `${claim.metadata.namespace}/${claim.metadata.name}`;
  return `PVC ${claimName} was not created for pod ${namespace}/${name} (pod is not owner)`;
}
