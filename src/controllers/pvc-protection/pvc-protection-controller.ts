/** Keeps claims that are on their way out while a pod uses them. */
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pods.ts";
import { claimKeysOf } from "../../api/storage/binding/pod-claims.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { usesClaim } from "./uses-claim.ts";

type Inputs = { claims: PersistentVolumeClaim; pods: Pod };

const FINALIZER = "kubernetes.io/pvc-protection";

export const pvcProtectionController = defineController<Inputs>({
  name: "persistentvolumeclaim-protection-controller",
  account: "pvc-protection-controller",
  queue: "pvcprotection",
  inputs: {
    claims: input(PersistentVolumeClaim, ({ key, now }) => (now && isOdd(now) ? [key] : [])),
    // A claim comes free by pods that go; one that comes keeps it only until this is looked at again.
    pods: input(
      Pod,
      ({ now, was }) => (was && now?.metadata.uid !== was.metadata.uid ? claimKeysOf(was) : []),
      undefined,
      {
        volumeClaims: claimKeysOf,
      },
    ),
  },
  start,
});

/** Whether the finalizer is missing, or is there but may have to go. */
function isOdd({ metadata }: PersistentVolumeClaim): boolean {
  return (metadata.deletionTimestamp !== undefined) === (metadata.finalizers ?? []).includes(FINALIZER);
}

function start({ client, informers }: ControllerContext, { claims, pods }: Listers<Inputs>) {
  const pictures = informers.of(Pod);

  /**
   * No kubelet starts a pod whose claim is on its way out, so only pods that had a node before that count. A picture of
   * pods from after that shows them all; an earlier one is not believed when it shows none.
   */
  const inUse = async (claim: PersistentVolumeClaim, key: string): Promise<boolean> => {
    if (pods.by("volumeClaims", key).some((pod) => usesClaim(pod, claim))) return true;
    if (pictures.revision >= Number(claim.metadata.resourceVersion)) return false;
    const { items } = await client.resource(Pod, claim.metadata.namespace).listAll();
    return items.some((pod) => usesClaim(pod, claim));
  };

  return async (key: string) => {
    const { namespace, name } = splitKey(key);
    const claim = claims.get(namespace, name);
    if (!claim || !isOdd(claim)) return undefined;
    const { metadata } = claim;
    const leaving = metadata.deletionTimestamp !== undefined;
    if (leaving && (await inUse(claim, key))) return undefined;
    const known = metadata.finalizers ?? [];
    const finalizers = leaving ? known.filter((one) => one !== FINALIZER) : [...known, FINALIZER];
    try {
      await client.resource(PersistentVolumeClaim, namespace).update({
        ...claim,
        metadata: { ...metadata, finalizers },
      });
    } catch (error) {
      if (isReason(error, "Conflict")) return { after: 20 };
      if (!isReason(error, "NotFound")) throw error;
    }
    return undefined;
  };
}
