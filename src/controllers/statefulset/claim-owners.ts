/**
 * How long claims live, told to the garbage collector by owners:
 *
 *   whenScaled  whenDeleted   owner while the pod is wanted   owner once it is scaled away
 *   Retain      Retain        none                            none
 *   Retain      Delete        the set                         the set
 *   Delete      Retain        none                            the pod
 *   Delete      Delete        the set                         the pod
 */
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import type { StatefulSet } from "../../api/schema/apps.v1.generated.ts";
import { controllerReference } from "../../machinery/meta/owner.ts";

/** A pod that was, may be or is to be. */
export interface ClaimingPod {
  apiVersion?: string;
  kind?: string;
  metadata: { name?: string; uid?: string };
}

type References = readonly OwnerReference[] | undefined;

/** Whom a claim is to live and die with. */
export function ownersWanted(set: StatefulSet, pod: ClaimingPod, isWanted: boolean): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  if (whenScaled === "Delete" && !isWanted) return [controllerReference(asPod(pod))];
  return whenDeleted === "Delete" ? [controllerReference(set)] : [];
}

/** What the claim's owners should become; undefined where they are right, or not ours to touch. */
export function ownersAfter(
  references: References,
  set: StatefulSet,
  pod: ClaimingPod,
  isWanted: boolean,
): OwnerReference[] | undefined {
  if (isStale(references, set) || isStale(references, asPod(pod))) return undefined;
  const has = references ?? [];
  const isOurs = ({ uid }: OwnerReference) => uid === set.metadata.uid || uid === pod.metadata.uid;
  const others = has.filter((reference) => !isOurs(reference));
  const ours = has.filter(isOurs);
  // Under another controller the claim is that one's affair.
  const wanted = others.some(({ controller }) => controller === true) ? [] : ownersWanted(set, pod, isWanted);
  const right =
    ours.length === wanted.length &&
    wanted.every(({ uid }) => ours.some((own) => own.uid === uid && own.controller === true));
  return right ? undefined : [...others, ...wanted];
}

/** Whether the claim belongs to an earlier object of the same name, and will go with it. */
export function isStale(references: References, object: KubeObject): boolean {
  const { apiVersion, kind, metadata } = object;
  const found = references?.find(
    (reference) =>
      reference.apiVersion === apiVersion && reference.kind === kind && reference.name === metadata.name,
  );
  return found !== undefined && found.uid !== metadata.uid;
}

export function asPod({ metadata }: ClaimingPod): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata };
}
