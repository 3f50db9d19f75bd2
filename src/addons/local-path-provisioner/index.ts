/** Volumes that are directories of nodes, made for claims when their first pod has got its node. */
export { ACCOUNT, PROVISIONER, STORAGE_CLASS } from "./names.ts";
export { type NodeStorage, type NodeStorageOptions, startNodeStorage } from "./node-storage.ts";
export { installLocalPathProvisioner } from "./objects.ts";
export {
  type LocalPathProvisioner,
  type LocalPathProvisionerOptions,
  startLocalPathProvisioner,
} from "./start-provisioner.ts";
