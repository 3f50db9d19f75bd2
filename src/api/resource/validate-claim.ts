/** What a claim asks for: requests, what their devices have in common, and configuration. */

import {
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isBelow } from "../../machinery/json/exact-integer.ts";
import { byteLength } from "../../machinery/names/names.ts";
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from "../schema/resource.v1.generated.ts";
import {
  validateDriver,
  validateFullAttributeName,
  validateLabelName,
  validateList,
  validateRaw,
  validateSet,
  validateSubdomain,
  validateTolerations,
} from "./checks.ts";

/** Of requests, constraints, configurations and selectors alike. */
export const LIST_MAX = 32;
const ALTERNATIVES_MAX = 8;
const EXPRESSION_MAX = 10 * 1024;
const MODES = ["All", "ExactCount"];
const WHICH_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** The names by which results and configurations refer to requests: `name` or `name/alternative`. */
export class RequestNames {
  private readonly names = new Set<string>();

  constructor(claim: DeviceClaim | undefined) {
    for (const { name, firstAvailable = [] } of claim?.requests ?? []) {
      this.names.add(name);
      for (const alternative of firstAvailable) this.names.add(`${name}/${alternative.name}`);
    }
  }

  validate(reference: string | undefined, path: FieldPath, errors: FieldError[]): void {
    const name = reference ?? "";
    const parts = name.split("/");
    if (parts.length > 2) {
      errors.push(invalidValue(path, name, WHICH_REQUEST));
      return;
    }
    for (const part of parts) validateLabelName(part, path, errors);
    if (!this.names.has(name)) errors.push(invalidValue(path, name, WHICH_REQUEST));
  }

  validateAll(references: readonly string[] | undefined, path: FieldPath, errors: FieldError[]): void {
    const each = (name: string, at: FieldPath) => this.validate(name, at, errors);
    validateSet(references, LIST_MAX, path, errors, each, (name) => name);
  }
}

export function validateDeviceClaim(
  claim: DeviceClaim | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!claim) return;
  const names = new RequestNames(claim);
  validateSet(
    claim.requests,
    LIST_MAX,
    path.child("requests"),
    errors,
    (request, at) => validateRequest(request, at, errors),
    ({ name }) => name,
  );
  validateList(claim.constraints, LIST_MAX, path.child("constraints"), errors, (constraint, at) =>
    validateConstraint(constraint, names, at, errors),
  );
  validateList(claim.config, LIST_MAX, path.child("config"), errors, ({ requests, opaque }, at) => {
    names.validateAll(requests, at.child("requests"), errors);
    validateOpaque(opaque, false, at.child("opaque"), errors);
  });
}

function validateRequest(request: DeviceRequest, path: FieldPath, errors: FieldError[]): void {
  const { name = "", exactly, firstAvailable = [] } = request;
  validateLabelName(name, path.child("name"), errors);
  if (exactly && firstAvailable.length > 0) {
    const why = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
    errors.push(invalidValue(path, null, why));
  } else if (exactly) validateDevices(exactly, path.child("exactly"), errors);
  else if (firstAvailable.length > 0) {
    validateSet(
      firstAvailable,
      ALTERNATIVES_MAX,
      path.child("firstAvailable"),
      errors,
      (alternative, at) => {
        validateLabelName(alternative.name ?? "", at.child("name"), errors);
        validateDevices(alternative, at, errors);
      },
      (alternative) => alternative.name,
    );
  } else errors.push(required(path, "exactly one of `exactly` or `firstAvailable` is required"));
}

function validateDevices(
  {
    deviceClassName,
    selectors,
    allocationMode = "",
    count = 0,
    tolerations,
  }: ExactDeviceRequest | DeviceSubRequest,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!deviceClassName) errors.push(required(path.child("deviceClassName")));
  else validateSubdomain(deviceClassName, path.child("deviceClassName"), errors);
  validateSelectors(selectors, false, path.child("selectors"), errors);
  if (allocationMode === "All") {
    if (count !== 0) {
      const why = "must not be specified when allocationMode is 'All'";
      errors.push(invalidValue(path.child("count"), count, why));
    }
  } else if (allocationMode === "ExactCount") {
    if (isBelow(count, 1)) errors.push(invalidValue(path.child("count"), count, "must be greater than zero"));
  } else errors.push(notSupported(path.child("allocationMode"), allocationMode, MODES));
  validateTolerations(tolerations, path.child("tolerations"), errors);
}

/** What is `stored` already was taken once, and stays. */
export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  stored: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  validateList(selectors, LIST_MAX, path, errors, ({ cel }, at) => {
    if (!cel) errors.push(required(at.child("cel")));
    else if (!stored && byteLength(cel.expression ?? "") > EXPRESSION_MAX) {
      errors.push(tooLong(at.child("cel", "expression"), EXPRESSION_MAX));
    }
  });
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: DeviceConstraint,
  names: RequestNames,
  path: FieldPath,
  errors: FieldError[],
): void {
  names.validateAll(requests, path.child("requests"), errors);
  if (matchAttribute !== undefined) {
    validateFullAttributeName(matchAttribute, path.child("matchAttribute"), errors);
  } else if (distinctAttribute !== undefined) {
    validateFullAttributeName(distinctAttribute, path.child("distinctAttribute"), errors);
  } else {
    const why =
      'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(required(path, why));
  }
}

export function validateOpaque(
  opaque: OpaqueDeviceConfiguration | undefined,
  stored: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!opaque) {
    errors.push(required(path));
    return;
  }
  validateDriver(opaque.driver, path.child("driver"), errors);
  validateRaw(opaque.parameters, stored, path.child("parameters"), errors);
}
