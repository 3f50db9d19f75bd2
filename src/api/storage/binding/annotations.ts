/** What claims and volumes tell each other's controllers, schedulers and drivers by annotation and finalizer. */

/** On a claim: it was bound once; without its volume it is lost. */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** On either: a controller chose the other side, so a controller may also take the choice back. */
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
/** On a volume: what made it. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** On either: the in-tree source it has is served by this driver. */
export const MIGRATED_TO = "pv.kubernetes.io/migrated-to";
/** On a claim whose class waits for a consumer: the scheduler's choice, which sets provisioning off. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** On a claim: who shall make its volume. */
export const STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner";
export const BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";
/** On a volume: held until an in-tree plugin deleted what it stands for. */
export const IN_TREE_FINALIZER = "kubernetes.io/pv-controller";
