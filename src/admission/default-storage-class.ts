import type { PersistentVolumeClaimSpec } from "../api/schema/core.v1.generated.ts";
import { StorageClass } from "../api/storage/storage-class.ts";
import { defineAdmission } from "./plugin.ts";

const DEFAULT = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];
const BETA = "volume.beta.kubernetes.io/storage-class";

/** Gives a claim that names no class the default one; of several, the newest. */
export const defaultStorageClass = defineAdmission({
  name: "DefaultStorageClass",
  summary: "Sets the class of claims that name none.",
  on: [["persistentvolumeclaims", ["CREATE"]]],
  start: ({ reader }) => ({
    mutate({ object }) {
      const { spec } = object as { spec?: PersistentVolumeClaimSpec };
      if (!spec || spec.storageClassName !== undefined) return;
      if (object?.metadata.annotations?.[BETA] !== undefined) return;
      let chosen: StorageClass | undefined;
      for (const one of reader.list(StorageClass)) {
        if (!DEFAULT.some((key) => one.metadata.annotations?.[key] === "true")) continue;
        const newer = (one.metadata.creationTimestamp ?? "") > (chosen?.metadata.creationTimestamp ?? "");
        if (!chosen || newer) chosen = one;
      }
      if (chosen) spec.storageClassName = chosen.metadata.name;
    },
  }),
});
