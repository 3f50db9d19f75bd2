/** By which names the two halves of the provisioner, and users, know what is its own. */

export const PROVISIONER = "kybern.dev/local-path";
export const STORAGE_CLASS = "standard";
/** The service account in kube-system that the controller half acts as. */
export const ACCOUNT = "local-path-provisioner";
/** On a volume: the node that has its directory. */
export const NODE_ANNOTATION = "kybern.dev/local-path-node";
/** On a volume, so that nodes watch these alone. */
export const VOLUME_LABEL = "kybern.dev/local-path";
/** On a volume: held until its directory is gone. */
export const FINALIZER = "kybern.dev/local-path";
/** On a node: where the directories are. Nodes without it have none. */
export const DIRECTORY_ANNOTATION = "kybern.dev/local-path-directory";
/** On a node: the volumes, by comma, whose directories it removed, as long as they are to be seen. */
export const REMOVED_ANNOTATION = "kybern.dev/local-path-removed";
/** Held by the cluster as long as a volume is in use. */
export const PV_PROTECTION = "kubernetes.io/pv-protection";

/** The names of an annotation's list. */
export function listed(annotation: string | undefined): string[] {
  return annotation ? annotation.split(",") : [];
}
