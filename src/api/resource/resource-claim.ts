import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { keepMetadata } from "../core/keep-metadata.ts";
import { take } from "../core/take.ts";
import { defineResource, type RequestContext } from "../resource.ts";
import type { ResourceClaim as ResourceClaimType } from "../schema/resource.v1.generated.ts";
import { validateAdminRequests, validateAdminResults } from "./admin-access.ts";
import { defaultClaimSpec } from "./claim-defaults.ts";
import { validateDeviceClaim } from "./validate-claim.ts";
import { deviceKey, validateClaimStatus } from "./validate-claim-status.ts";

export type ResourceClaim = ResourceClaimType;

/** Devices that are wanted, and once they are allocated, which. */
export const ResourceClaim = defineResource<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaim",
  plural: "resourceclaims",
  scope: "Namespaced",
  definition: "resource.v1.ResourceClaim",
  validateName: nameIsDNSSubdomain,
  defaults: ({ spec }) => defaultClaimSpec(spec),
  prepareForCreate(claim) {
    delete claim.status;
  },
  prepareForUpdate: (claim, old) => take(claim, old, "status"),
  validate,
  validateUpdate: ({ spec }, old) => immutableField(FieldPath.root("spec"), spec, old.spec),
  validatesAll: true,
  returnsDeletedObject: true,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: prepareStatus,
      validate: validateStatus,
      resets: ["spec"],
    },
  },
  columns: [nameColumn, { name: "State", type: "string", cell: stateCell }, ageColumn],
});

function validate(claim: ResourceClaim, context: RequestContext) {
  const { devices } = claim.spec ?? {};
  const errors = validateAdminRequests(devices?.requests, claim.metadata.namespace ?? "", context);
  validateDeviceClaim(devices, FieldPath.root("spec", "devices"), errors);
  return errors;
}

function validateStatus(claim: ResourceClaim, old: ResourceClaim, context: RequestContext) {
  const errors = validateAdminResults(
    claim.status?.allocation?.devices?.results,
    old.status?.allocation?.devices?.results,
    claim.metadata.namespace ?? "",
    context,
  );
  errors.push(...validateClaimStatus(claim, old));
  return errors;
}

function prepareStatus(claim: ResourceClaim, old: ResourceClaim): void {
  take(claim, old, "spec");
  keepMetadata(claim, old);
  dropDeallocated(claim, old);
}

/** What drivers said of a device goes with its allocation. */
function dropDeallocated({ status }: ResourceClaim, old: ResourceClaim): void {
  const before = old.status?.allocation?.devices?.results;
  if (!status?.devices || !before) return;
  const gone = new Set(before.map(unshared));
  for (const result of status.allocation?.devices?.results ?? []) gone.delete(unshared(result));
  if (gone.size === 0) return;
  const kept = status.devices.filter((device) => !gone.has(unshared(device)));
  if (kept.length > 0) status.devices = kept;
  else delete status.devices;
}

function unshared({ driver, pool, device }: { driver: string; pool: string; device: string }): string {
  return deviceKey({ driver, pool, device });
}

function stateCell({ metadata, status }: ResourceClaim): string {
  const deleted = metadata.deletionTimestamp !== undefined;
  const states = deleted ? ["deleted"] : [];
  if (status?.allocation) states.push(status.reservedFor?.length ? "allocated,reserved" : "allocated");
  else if (!deleted) states.push("pending");
  return states.join(",");
}
