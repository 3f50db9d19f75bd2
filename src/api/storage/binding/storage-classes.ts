/** What a claim's class means for its binding. */
import type { PersistentVolumeClaim } from "../../schema/core.v1.generated.ts";
import type { StorageClass } from "../../schema/storage.v1.generated.ts";
import { SELECTED_NODE } from "./annotations.ts";

const DEFAULT_ANNOTATIONS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** The provisioner of classes whose volumes administrators make. */
export const NO_PROVISIONER = "kubernetes.io/no-provisioner";

export function isDefaultClass({ metadata }: StorageClass): boolean {
  return DEFAULT_ANNOTATIONS.some((key) => metadata.annotations?.[key] === "true");
}

/** The class of claims that name none; of several, the newest. */
export function defaultClassOf(classes: Iterable<StorageClass>): StorageClass | undefined {
  let chosen: StorageClass | undefined;
  for (const one of classes) {
    if (isDefaultClass(one) && (!chosen || isBefore(one, chosen))) chosen = one;
  }
  return chosen;
}

function isBefore({ metadata: a }: StorageClass, { metadata: b }: StorageClass): boolean {
  const [made = "", other = ""] = [a.creationTimestamp, b.creationTimestamp];
  return made === other ? (a.name ?? "") < (b.name ?? "") : made > other;
}

/** Whether claims of the class are bound only once a pod that uses them has a node. */
export function waitsForConsumer(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === "WaitForFirstConsumer";
}

/** Whether the scheduler has chosen a node, for which a volume is to be made. */
export function hasSelectedNode({ metadata }: PersistentVolumeClaim): boolean {
  return metadata.annotations?.[SELECTED_NODE] !== undefined;
}

/** In-tree provisioners whose volumes a CSI driver makes since (upstream: csi-translation-lib). */
const MIGRATED: Readonly<Record<string, string>> = {
  "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
  "kubernetes.io/azure-disk": "disk.csi.azure.com",
  "kubernetes.io/azure-file": "file.csi.azure.com",
  "kubernetes.io/cinder": "cinder.csi.openstack.org",
  "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
  "kubernetes.io/portworx-volume": "pxd.portworx.com",
  "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
};

/** Who makes the volumes of a provisioner, outside of the cluster's own code; undefined: nobody. */
export function externalProvisioner(provisioner: string): string | undefined {
  if (!provisioner.startsWith("kubernetes.io/")) return provisioner;
  return Object.hasOwn(MIGRATED, provisioner) ? MIGRATED[provisioner] : undefined;
}
