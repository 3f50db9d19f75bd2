/**
 * What becomes of a claim as its users go.
 *
 *   allocated and reserved ── last user goes ──▶ free, not allocated ── made for a pod that is done ──▶ deleted
 */
import { hasPodEnded } from "../../api/core/pod/state.ts";
import { CLAIM_FINALIZER } from "../../api/resource/pod-claims.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type {
  ResourceClaim,
  ResourceClaimConsumerReference,
} from "../../api/schema/resource.v1.generated.ts";

/** Whether none of its containers runs or ever will. */
export function isPodDone(pod: Pod): boolean {
  return hasPodEnded(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName);
}

/** With the users that are left; the last one's leaving gives the devices back. Undefined: nothing changes. */
export function releasedClaim(
  claim: ResourceClaim,
  isUser: (user: ResourceClaimConsumerReference) => boolean,
): ResourceClaim | undefined {
  const { allocation, ...status } = claim.status ?? {};
  const users = status.reservedFor ?? [];
  const left = users.filter(isUser);
  const held = claim.metadata.finalizers?.includes(CLAIM_FINALIZER) ?? false;
  const keeps = left.length > 0 || !held;
  if (left.length < users.length) {
    const { reservedFor: _, ...rest } = status;
    const kept = keeps && allocation ? { allocation } : undefined;
    return { ...claim, status: { ...rest, ...kept, ...(left.length > 0 && { reservedFor: left }) } };
  }
  const leaving = claim.metadata.deletionTimestamp !== undefined;
  return leaving && !keeps && allocation ? { ...claim, status } : undefined;
}

/** Finalizers without the one of the allocation, where that is gone and is no longer waited for. */
export function finalizersAfter(
  { metadata, status }: ResourceClaim,
  released: boolean,
): string[] | undefined {
  if (status?.allocation || status?.reservedFor?.length) return undefined;
  if (!released && metadata.deletionTimestamp === undefined) return undefined;
  if (!metadata.finalizers?.includes(CLAIM_FINALIZER)) return undefined;
  return metadata.finalizers.filter((name) => name !== CLAIM_FINALIZER);
}
