import { defineAdmission } from "./plugin.ts";

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};

/** Volumes and claims that are in use are not deleted under a pod. */
export const storageObjectInUseProtection = defineAdmission({
  name: "StorageObjectInUseProtection",
  summary: "Gives new volumes and claims the finalizer that keeps them while they are used.",
  on: [
    ["persistentvolumeclaims", ["CREATE"]],
    ["persistentvolumes", ["CREATE"]],
  ],
  start: () => ({
    mutate({ object, resource }) {
      const finalizer = FINALIZERS[resource.plural];
      if (!object || !finalizer || object.metadata.finalizers?.includes(finalizer)) return;
      object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
    },
  }),
});
