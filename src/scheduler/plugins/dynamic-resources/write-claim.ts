/** Writes allocations and reservations into claims. */
import type { Pod } from "../../../api/core/pods.ts";
import {
  CLAIM_FINALIZER,
  canBeReserved,
  isReservedForPod,
  reservedForPod,
} from "../../../api/resource/pod-claims.ts";
import { ResourceClaim } from "../../../api/resource/resource-claim.ts";
import type { AllocationResult } from "../../../api/schema/resource.v1.generated.ts";
import type { Client } from "../../../client/client.ts";
import { isReason } from "../../../client/status.ts";

/** Others write claims too: their status is tried again on what they left. */
const TRIES = 5;

async function change(
  client: Client,
  { metadata }: ResourceClaim,
  write: (claim: ResourceClaim) => Promise<unknown> | undefined,
  first?: ResourceClaim,
): Promise<void> {
  const claims = client.resource(ResourceClaim, metadata.namespace);
  let claim = first;
  for (let left = TRIES - 1; ; left--) {
    try {
      claim ??= await claims.get(metadata.name ?? "");
      if (claim.metadata.uid !== metadata.uid) return;
      await write(claim);
      return;
    } catch (error) {
      if (!isReason(error, "Conflict") || left === 0) throw error;
      claim = undefined;
    }
  }
}

/** The claim gets its devices, where it has none, and the pod as one of its users. */
export async function reserveClaim(
  client: Client,
  given: ResourceClaim,
  pod: Pod,
  allocation: AllocationResult | undefined,
): Promise<void> {
  const claims = client.resource(ResourceClaim, given.metadata.namespace);
  const write = async (claim: ResourceClaim): Promise<void> => {
    if (claim.metadata.deletionTimestamp !== undefined) {
      throw new Error(`claim ${claim.metadata.namespace}/${claim.metadata.name} got deleted in the meantime`);
    }
    let current = claim;
    if (allocation) {
      if (claim.status?.allocation) {
        throw new Error(`claim ${claim.metadata.namespace}/${claim.metadata.name} already allocated`);
      }
      const finalizers = claim.metadata.finalizers ?? [];
      if (!finalizers.includes(CLAIM_FINALIZER)) {
        const metadata = { ...claim.metadata, finalizers: [...finalizers, CLAIM_FINALIZER] };
        current = await claims.update({ ...claim, metadata });
      }
      current = { ...current, status: { ...current.status, allocation } };
    }
    if (isReservedForPod(current, pod)) return;
    if (!canBeReserved(current)) throw new Error("resourceclaim in use");
    await claims.updateStatus(reservedForPod(current, pod));
  };
  await change(client, given, write, given);
}

/** The pod is no user any more; the devices stay, for whoever comes next. */
export function unreserveClaim(client: Client, given: ResourceClaim, pod: Pod): Promise<void> {
  return change(client, given, (claim) => {
    const reservedFor = claim.status?.reservedFor ?? [];
    const left = reservedFor.filter(({ uid }) => uid !== pod.metadata.uid);
    if (left.length === reservedFor.length) return undefined;
    const { reservedFor: _, ...status } = claim.status ?? {};
    const rest = left.length > 0 ? { ...status, reservedFor: left } : status;
    return client.resource(ResourceClaim, given.metadata.namespace).updateStatus({ ...claim, status: rest });
  });
}

/** Takes the devices back, which are of no use where they are. */
export function deallocateClaim(client: Client, given: ResourceClaim): Promise<void> {
  const { allocation: _, reservedFor: __, ...status } = given.status ?? {};
  const claims = client.resource(ResourceClaim, given.metadata.namespace);
  return claims.updateStatus({ ...given, status }).then(() => undefined);
}
