import { CLASS_ANNOTATION } from "../api/core/persistent-volume.ts";
import type { PersistentVolumeClaimSpec } from "../api/schema/core.v1.generated.ts";
import { defaultClassOf } from "../api/storage/binding/storage-classes.ts";
import { StorageClass } from "../api/storage/storage-class.ts";
import { defineAdmission } from "./plugin.ts";

/** Gives a claim that names no class the default one; of several, the newest. */
export const defaultStorageClass = defineAdmission({
  name: "DefaultStorageClass",
  summary: "Sets the class of claims that name none.",
  on: [["persistentvolumeclaims", ["CREATE"]]],
  start: ({ reader }) => ({
    mutate({ object }) {
      const { spec } = object as { spec?: PersistentVolumeClaimSpec };
      if (!spec || spec.storageClassName !== undefined) return;
      if (object?.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
      const chosen = defaultClassOf(reader.list(StorageClass));
      if (chosen) spec.storageClassName = chosen.metadata.name;
    },
  }),
});
