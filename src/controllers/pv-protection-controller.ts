/** Keeps volumes that are on their way out while they are bound. */
import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

const FINALIZER = "kubernetes.io/pv-protection";

export const pvProtectionController = defineController<{ volumes: PersistentVolume }>({
  name: "persistentvolume-protection-controller",
  account: "pv-protection-controller",
  queue: "pvprotection",
  inputs: { volumes: input(PersistentVolume, ({ key, now }) => (now && finalizersOf(now) ? [key] : [])) },
  start:
    ({ client }, { volumes }) =>
    async (name) => {
      const volume = volumes.get("", name);
      const finalizers = volume && finalizersOf(volume);
      if (!finalizers) return undefined;
      const metadata = { ...volume.metadata, finalizers };
      try {
        await client.resource(PersistentVolume).update({ ...volume, metadata });
      } catch (error) {
        if (isReason(error, "Conflict")) return { after: 20 };
        if (!isReason(error, "NotFound")) throw error;
      }
      return undefined;
    },
});

/** As they should be; undefined where they are. */
function finalizersOf({ metadata, status }: PersistentVolume): string[] | undefined {
  const known = metadata.finalizers ?? [];
  const leaving = metadata.deletionTimestamp !== undefined;
  if (leaving !== known.includes(FINALIZER)) return undefined;
  if (!leaving) return [...known, FINALIZER];
  return status?.phase === "Bound" ? undefined : known.filter((one) => one !== FINALIZER);
}
