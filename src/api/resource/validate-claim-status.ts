/** What the scheduler and the drivers write of a claim. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { byteLength, isValidInterfaceAddress } from "../../machinery/names/names.ts";
import { immutableField } from "../core/immutable.ts";
import { validateNodeSelector } from "../core/pod/validate-scheduling.ts";
import { validateConditions } from "../core/validate-conditions.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimStatus,
} from "../schema/resource.v1.generated.ts";
import {
  validateBindingConditions,
  validateDriver,
  validateLabelName,
  validateList,
  validatePoolName,
  validateRaw,
  validateSet,
  validateShareID,
  validateTolerations,
} from "./checks.ts";
import { LIST_MAX, RequestNames, validateOpaque } from "./validate-claim.ts";

const RESERVATIONS_MAX = 256;
const CONDITIONS_MAX = 8;
const ADDRESSES_MAX = 16;
const INTERFACE_NAME_MAX = 256;
const HARDWARE_ADDRESS_MAX = 128;
const SOURCES = ["FromClaim", "FromClass"];

/** A device, or one share of it, as text: `driver/pool/device[/share]`. */
export function deviceKey({
  driver,
  pool,
  device,
  shareID,
}: Pick<AllocatedDeviceStatus, "driver" | "pool" | "device" | "shareID">): string {
  const key = `${driver}/${pool}/${device}`;
  return shareID === undefined ? key : `${key}/${shareID}`;
}

export function validateClaimStatus(now: ResourceClaim, old: ResourceClaim): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("status");
  const status = now.status ?? {};
  const was = old.status ?? {};
  validateSet(
    status.reservedFor,
    RESERVATIONS_MAX,
    path.child("reservedFor"),
    errors,
    ({ resource, name, uid }, at) => {
      if (!resource) errors.push(required(at.child("resource")));
      if (!name) errors.push(required(at.child("name")));
      if (!uid) errors.push(required(at.child("uid")));
    },
    ({ uid }) => uid,
  );
  validateDeviceStatuses(status, path.child("devices"), errors);
  validateReservations(status, was, now.metadata.deletionTimestamp !== undefined, path, errors);
  if (!status.allocation) return errors;
  const at = path.child("allocation");
  if (was.allocation) errors.push(...immutableField(at, status.allocation, was.allocation));
  else validateAllocation(status.allocation, new RequestNames(now.spec.devices), at, errors);
  return errors;
}

function validateReservations(
  { reservedFor = [], allocation }: ResourceClaimStatus,
  was: ResourceClaimStatus,
  deleted: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (reservedFor.length === 0) return;
  const at = path.child("reservedFor");
  if (!allocation) {
    errors.push(forbiddenField(at, "may not be specified when `allocated` is not set"));
    return;
  }
  if (!deleted) return;
  const known = was.reservedFor ?? [];
  if (reservedFor.every((one) => known.some((other) => semanticEqual(one, other)))) return;
  const why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
  errors.push(forbiddenField(at, why));
}

function validateDeviceStatuses(
  { devices = [], allocation }: ResourceClaimStatus,
  path: FieldPath,
  errors: FieldError[],
): void {
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  const seen = new Set<string>();
  for (const [i, status] of devices.entries()) validateDeviceStatus(status, allocated, path.index(i), errors);
  for (const [i, status] of devices.entries()) {
    const key = deviceKey(status);
    if (seen.has(key)) errors.push({ ...duplicate(path.index(i), key), body: `Duplicate value: ${key}` });
    seen.add(key);
  }
}

function validateDeviceStatus(
  status: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { driver, pool, device = "", shareID, conditions = [], data, networkData } = status;
  validateDriver(driver, path.child("driver"), errors);
  validatePoolName(pool, path.child("pool"), errors);
  validateLabelName(device, path.child("device"), errors);
  if (shareID !== undefined) validateShareID(shareID, path.child("shareID"), errors);
  const key = deviceKey(status);
  if (!allocated.has(key)) {
    // The key is printed bare, as Go prints what knows its own text.
    const body = `Invalid value: ${key}: must be an allocated device in the claim`;
    errors.push({ ...invalidValue(path, key), body });
  }
  const at = path.child("conditions");
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(at, conditions.length, CONDITIONS_MAX));
  errors.push(...validateConditions(conditions, at));
  if (data !== undefined) validateRaw(data, false, path.child("data"), errors);
  if (networkData) validateNetworkData(networkData, path.child("networkData"), errors);
}

function validateNetworkData(
  { interfaceName = "", hardwareAddress = "", ips }: NetworkDeviceData,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (byteLength(interfaceName) > INTERFACE_NAME_MAX) {
    errors.push(tooLong(path.child("interfaceName"), INTERFACE_NAME_MAX));
  }
  if (byteLength(hardwareAddress) > HARDWARE_ADDRESS_MAX) {
    errors.push(tooLong(path.child("hardwareAddress"), HARDWARE_ADDRESS_MAX));
  }
  validateSet(
    ips,
    ADDRESSES_MAX,
    path.child("ips"),
    errors,
    (address, at) => {
      for (const text of isValidInterfaceAddress(address)) errors.push(invalidValue(at, address, text));
    },
    (address) => address,
  );
}

function validateAllocation(
  { devices, nodeSelector }: AllocationResult,
  names: RequestNames,
  path: FieldPath,
  errors: FieldError[],
): void {
  const at = path.child("devices");
  validateList(devices?.results, LIST_MAX, at.child("results"), errors, (result, where) =>
    validateResult(result, names, where, errors),
  );
  validateList(devices?.config, 2 * LIST_MAX, at.child("config"), errors, (config, where) => {
    const { source, requests, opaque } = config;
    if (!source) errors.push(required(where.child("source")));
    else if (!SOURCES.includes(source)) {
      errors.push(notSupported(where.child("source"), source, SOURCES));
    }
    names.validateAll(requests, where.child("requests"), errors);
    validateOpaque(opaque, false, where.child("opaque"), errors);
  });
  if (nodeSelector) validateNodeSelector(nodeSelector, path.child("nodeSelector"), errors);
}

function validateResult(
  result: DeviceRequestAllocationResult,
  names: RequestNames,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { request, driver, pool, device = "", tolerations, shareID } = result;
  names.validate(request, path.child("request"), errors);
  validateDriver(driver, path.child("driver"), errors);
  validatePoolName(pool, path.child("pool"), errors);
  validateLabelName(device, path.child("device"), errors);
  validateBindingConditions(result, path, errors);
  validateTolerations(tolerations, path.child("tolerations"), errors);
  if (shareID !== undefined) validateShareID(shareID, path.child("shareID"), errors);
}
