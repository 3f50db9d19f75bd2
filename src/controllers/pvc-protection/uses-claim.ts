import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { Pod } from "../../api/core/pods.ts";
import { ephemeralClaimName, whyNotMadeFor } from "../../api/storage/binding/pod-claims.ts";

/** Whether the pod has a node and mounts the claim there; one that has ended does so until it is gone. */
export function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName) return false;
  const { name } = claim.metadata;
  return (pod.spec.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName === name;
    if (!volume.ephemeral || isShutDown(pod)) return false;
    return ephemeralClaimName(pod, volume) === name && whyNotMadeFor(pod, claim) === undefined;
  });
}

/** Whether its kubelet is done with it. */
function isShutDown({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
}
