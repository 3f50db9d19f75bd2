/**
 * Tells of bound claims that have grown: whoever makes their volumes grows them. No plugin is left that the cluster
 * would grow volumes with itself.
 */
import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import { splitKey } from "../client/informer/object-store.ts";
import { Quantity } from "../machinery/quantity/quantity.ts";
import { defineController, input } from "./runtime/controller.ts";

type Inputs = { claims: PersistentVolumeClaim; volumes: PersistentVolume };

export const persistentVolumeExpander = defineController<Inputs>({
  name: "persistentvolume-expander-controller",
  account: "expand-controller",
  eventSource: "volume_expand",
  queue: "volume_expand",
  workers: 10,
  inputs: {
    claims: input(PersistentVolumeClaim, ({ key, now, was }) =>
      now && was && hasGrown(now, was) ? [key] : [],
    ),
    volumes: input(PersistentVolume, () => []),
  },
  start:
    ({ events }, { claims, volumes }) =>
    async (key) => {
      const { namespace, name } = splitKey(key);
      const claim = claims.get(namespace, name);
      if (claim?.status?.phase !== "Bound" || !claim.spec.volumeName) return undefined;
      const { claimRef } = volumes.get("", claim.spec.volumeName)?.spec ?? {};
      if (claimRef?.uid !== claim.metadata.uid) return undefined;
      if (sizeOf(claim).compare(Quantity.parse(claim.status.capacity?.storage ?? "0")) <= 0) return undefined;
      events.record(
        claim,
        "Normal",
        "ExternalExpanding",
        "waiting for an external controller to expand this PVC",
      );
      return undefined;
    },
});

function hasGrown(now: PersistentVolumeClaim, was: PersistentVolumeClaim): boolean {
  const sizes = [now, was].map(({ spec }) => spec.resources?.requests?.storage);
  return sizes[0] !== sizes[1] && sizeOf(now).compare(sizeOf(was)) > 0;
}

function sizeOf({ spec }: PersistentVolumeClaim): Quantity {
  return Quantity.parse(spec.resources?.requests?.storage ?? "0");
}
