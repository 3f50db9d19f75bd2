import { defineAdmission } from "./plugin.ts";

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
  volumeattributesclasses: "kubernetes.io/vac-protection",
};

/** Volumes, claims and classes of attributes are not deleted under those who use them. */
export const storageObjectInUseProtection = defineAdmission({
  name: "StorageObjectInUseProtection",
  summary:
    "Gives new volumes, claims and classes of attributes the finalizer that keeps them while they are used.",
  on: [
    ["persistentvolumeclaims", ["CREATE"]],
    ["persistentvolumes", ["CREATE"]],
    ["volumeattributesclasses.storage.k8s.io", ["CREATE"]],
  ],
  start: () => ({
    mutate({ object, resource }) {
      const finalizer = FINALIZERS[resource.plural];
      if (!object || !finalizer || object.metadata.finalizers?.includes(finalizer)) return;
      object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
    },
  }),
});
