import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource, type RequestContext } from "../resource.ts";
import type { ResourceSlice as ResourceSliceType } from "../schema/resource.v1.generated.ts";
import { validateResourceSlice, validateResourceSliceUpdate } from "./validate-resource-slice.ts";

export type ResourceSlice = ResourceSliceType;

/** Some of the devices that a driver has to offer, on one node or on several. */
export const ResourceSlice = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceSlice",
  plural: "resourceslices",
  scope: "Cluster",
  definition: "resource.v1.ResourceSlice",
  validateName: nameIsDNSSubdomain,
  prepareForCreate: prepare,
  prepareForUpdate: (slice, _old, context) => prepare(slice, context),
  validate: validateResourceSlice,
  validateUpdate: validateResourceSliceUpdate,
  validatesAll: true,
  warnings({ spec }) {
    const driver = spec?.driver ?? "";
    if (driver === driver.toLowerCase()) return [];
    const name = JSON.stringify(driver);
    return [`spec.driver: driver names should be lowercase; ${name} contains uppercase characters`];
  },
  generationOf: ({ spec }) => spec,
  returnsDeletedObject: true,
  fields: {
    "spec.nodeName": ({ spec }) => spec?.nodeName ?? "",
    "spec.driver": ({ spec }) => spec?.driver ?? "",
  },
  columns: [
    nameColumn,
    { name: "Node", type: "string", cell: ({ spec }) => spec?.nodeName ?? "" },
    { name: "Driver", type: "string", cell: ({ spec }) => spec?.driver },
    { name: "Pool", type: "string", cell: ({ spec }) => spec?.pool?.name },
    ageColumn,
  ],
});

/** Leaves out what only servers with alpha features keep, and notes since when a device is tainted. */
function prepare({ spec }: ResourceSlice, { now }: RequestContext): void {
  for (const device of spec?.devices ?? []) {
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      delete attribute.bools;
      delete attribute.ints;
      delete attribute.strings;
      delete attribute.versions;
    }
    for (const taint of device.taints ?? []) taint.timeAdded ??= now;
  }
}
