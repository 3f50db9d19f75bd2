/** Which resource claims a pod means, and whether it may use them (k8s.io/dynamic-resource-allocation/resourceclaim). */
import { controllerOf } from "../../machinery/meta/owner.ts";
import type { Pod, PodResourceClaim } from "../schema/core.v1.generated.ts";
import type { ResourceClaim } from "../schema/resource.v1.generated.ts";

/** On a claim made from a template: the name of the entry in the pod that it was made for. */
export const POD_CLAIM_ANNOTATION = "resource.kubernetes.io/pod-claim-name";
/** On a claim that is allocated: it stays until its devices are given back. */
export const CLAIM_FINALIZER = "resource.kubernetes.io/delete-protection";

/** How many users one claim may have at once. */
const MOST_USERS = 256;

/**
 * The claim of an entry of the pod. `none`: it was found to need none. `waiting`: it is still to be made from its
 * template. `generated`: it must have been made for this pod, see isMadeFor.
 */
export type PodClaim = { name: string; generated: boolean } | "none" | "waiting";

export function podClaimOf(pod: Pod, entry: PodResourceClaim): PodClaim {
  if (entry.resourceClaimName !== undefined) return { name: entry.resourceClaimName, generated: false };
  const status = pod.status?.resourceClaimStatuses?.find(({ name }) => name === entry.name);
  if (!status) return "waiting";
  return status.resourceClaimName === undefined
    ? "none"
    : { name: status.resourceClaimName, generated: true };
}

/** `namespace/name` of every claim that the pod is known to use: the index `resourceClaims` of pods. */
export function resourceClaimKeysOf(pod: Pod): readonly string[] {
  const entries = pod.spec?.resourceClaims;
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  if (!entries && extended === undefined) return [];
  const keys: string[] = [];
  for (const entry of entries ?? []) {
    const claim = podClaimOf(pod, entry);
    if (typeof claim === "object") keys.push(`${pod.metadata.namespace}/${claim.name}`);
  }
  if (extended !== undefined) keys.push(`${pod.metadata.namespace}/${extended}`);
  return keys;
}

export function isMadeFor(claim: ResourceClaim, { metadata }: Pod): boolean {
  return claim.metadata.namespace === metadata.namespace && controllerOf(claim)?.uid === metadata.uid;
}

export function isReservedForPod({ status }: ResourceClaim, { metadata }: Pod): boolean {
  return status?.reservedFor?.some(({ uid }) => uid === metadata.uid) ?? false;
}

export function canBeReserved({ status }: ResourceClaim): boolean {
  return (status?.reservedFor?.length ?? 0) < MOST_USERS;
}

/** The claim with one more user; its status is to be written. */
export function reservedForPod(
  claim: ResourceClaim,
  { metadata: { name = "", uid = "" } }: Pod,
): ResourceClaim {
  const reservedFor = [...(claim.status?.reservedFor ?? []), { resource: "pods", name, uid }];
  return { ...claim, status: { ...claim.status, reservedFor } };
}
