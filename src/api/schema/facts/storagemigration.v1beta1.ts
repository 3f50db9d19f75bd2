import type { Facts } from "../facts.ts";

export const storagemigrationV1beta1: Facts = {
  id: "storagemigration.v1beta1",
  group: "storagemigration.k8s.io",
  messages: `
  StorageVersionMigration@: 1 metadata, 2 spec, 3 status
  StorageVersionMigrationList@: 1 metadata, 2 items
  StorageVersionMigrationSpec: 1 resource
  StorageVersionMigrationStatus: 1 conditions, 2 resourceVersion
  `,
  merging: `
  StorageVersionMigrationStatus: conditions map(type) merge(type)
  `,
};
