/** The resource claims of a pod, or why they cannot be used yet. */
import type { Pod } from "../../../api/core/pods.ts";
import { isMadeFor, podClaimOf } from "../../../api/resource/pod-claims.ts";
import type { ResourceClaim } from "../../../api/resource/resource-claim.ts";
import type { Lister } from "../../../client/informer/object-store.ts";

/** A text says, in upstream's words, what stands in the way. */
export function claimsOf(pod: Pod, claims: Lister<ResourceClaim>): ResourceClaim[] | string {
  const { namespace = "", name: podName } = pod.metadata;
  const found: ResourceClaim[] = [];
  for (const entry of pod.spec?.resourceClaims ?? []) {
    const named = podClaimOf(pod, entry);
    if (named === "none") continue;
    if (named === "waiting") return `pod "${namespace}/${podName}": ResourceClaim not created yet`;
    const { name, generated } = named;
    const claim = claims.get(namespace, name);
    if (!claim) return `resourceclaim.resource.k8s.io ${JSON.stringify(name)} not found`;
    if (claim.metadata.deletionTimestamp !== undefined) {
      return `resourceclaim ${JSON.stringify(name)} is being deleted`;
    }
    if (generated && !isMadeFor(claim, pod)) {
      return `ResourceClaim ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
    }
    found.push(claim);
  }
  return found;
}
