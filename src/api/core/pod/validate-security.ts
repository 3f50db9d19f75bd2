/** Security contexts of pods and containers. */

import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isBelow } from "../../../machinery/json/exact-integer.ts";
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../../schema/core.v1.generated.ts";
import { inRange, localDescendingPath, maybeOneOf, type Rules } from "./checks.ts";
import { validateWindowsOptions } from "./validate-windows.ts";

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const MAX_ID = 2 ** 31 - 1;
const MAX_APPARMOR_PROFILE = 4095;
const MAX_SYSCTL = 253;
const SYSCTL_PATTERN = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

function isId(id: number): boolean {
  return !isBelow(id, 0) && isBelow(id, MAX_ID + 1);
}

function validateId(rules: Rules, id: number | undefined | null, at: FieldPath, name: string): void {
  if (id === undefined || id === null || isId(id)) return;
  rules.errors.push(invalidValue(at.child(name), id, inRange(0, MAX_ID)));
}

export function validateSecurityContext(
  context: SecurityContext,
  hostUsers: boolean,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  validateId(rules, context.runAsUser, at, "runAsUser");
  validateId(rules, context.runAsGroup, at, "runAsGroup");
  if (context.procMount !== undefined) {
    maybeOneOf(errors, context.procMount, ["Default", "Unmasked"], at, "procMount");
    if (hostUsers && context.procMount === "Unmasked") {
      const why = "`hostUsers` must be false to use `Unmasked`";
      errors.push(invalidValue(at.child("procMount"), context.procMount, why));
    }
  }
  if (context.seccompProfile) validateSeccomp(context.seccompProfile, at.child("seccompProfile"), rules);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      const why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
      errors.push(invalidValue(at, context, why));
    }
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      const why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
      errors.push(invalidValue(at, context, why));
    }
  }
  if (context.windowsOptions)
    validateWindowsOptions(context.windowsOptions, at.child("windowsOptions"), rules);
  if (context.appArmorProfile) validateAppArmor(context.appArmorProfile, at.child("appArmorProfile"), rules);
}

/** `at` is the path of the security context itself. */
export function validatePodSecurityContext(
  context: PodSecurityContext,
  spec: PodSpec,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  validateId(rules, context.fsGroup, at, "fsGroup");
  validateId(rules, context.runAsUser, at, "runAsUser");
  validateId(rules, context.runAsGroup, at, "runAsGroup");
  context.supplementalGroups?.forEach((group, i) => {
    if (isId(group)) return;
    errors.push(invalidValue(at.child("supplementalGroups").index(i), group, inRange(0, MAX_ID)));
  });
  if (spec.shareProcessNamespace && spec.hostPID) {
    const why = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalidValue(at.child("shareProcessNamespace"), true, why));
  }
  if (context.sysctls) validateSysctls(context.sysctls, spec, at.child("sysctls"), rules);
  maybeOneOf(errors, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"], at, "fsGroupChangePolicy");
  if (context.seccompProfile) validateSeccomp(context.seccompProfile, at.child("seccompProfile"), rules);
  if (context.windowsOptions)
    validateWindowsOptions(context.windowsOptions, at.child("windowsOptions"), rules);
  if (context.appArmorProfile) validateAppArmor(context.appArmorProfile, at.child("appArmorProfile"), rules);
  maybeOneOf(errors, context.supplementalGroupsPolicy, ["Merge", "Strict"], at, "supplementalGroupsPolicy");
  maybeOneOf(errors, context.seLinuxChangePolicy, ["MountOption", "Recursive"], at, "seLinuxChangePolicy");
}

function validateSysctls(
  sysctls: NonNullable<PodSecurityContext["sysctls"]>,
  spec: PodSpec,
  at: FieldPath,
  { errors }: Rules,
): void {
  const names = new Set<string>();
  sysctls.forEach(({ name }, i) => {
    const path = at.index(i).child("name");
    if (!name) errors.push(required(path));
    else if (!isSysctlName(name)) {
      const why = `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL_PATTERN}`;
      errors.push(invalidValue(path, name, why));
    } else if (names.has(name)) errors.push(duplicate(path, name));
    names.add(name);
    const dotted = name?.replaceAll("/", ".") ?? "";
    if (spec.hostNetwork && dotted.startsWith("net.")) {
      errors.push(invalidValue(path, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && isIPCSysctl(dotted)) {
      errors.push(invalidValue(path, name, "may not be specified when 'hostIPC' is true"));
    }
  });
}

function isIPCSysctl(name: string): boolean {
  return (
    name.startsWith("kernel.shm") ||
    name.startsWith("kernel.msg") ||
    name === "kernel.sem" ||
    name.startsWith("fs.mqueue.")
  );
}

/** Segments of lower case letters, digits, `-` and `_`, joined by `.` or `/`; a segment's ends are alphanumeric. */
export function isSysctlName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_SYSCTL) return false;
  let inSegment = false;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const alphanumeric = (c >= 97 && c <= 122) || (c >= 48 && c <= 57);
    const inner = c === 45 || c === 95;
    const joint = c === 46 || c === 47;
    if (!alphanumeric && !inner && !joint) return false;
    if (alphanumeric) inSegment = true;
    else if (joint) {
      if (!inSegment || !endsAlphanumeric(name, i - 1)) return false;
      inSegment = false;
    } else if (!inSegment) return false;
  }
  return inSegment && endsAlphanumeric(name, name.length - 1);
}

function endsAlphanumeric(name: string, at: number): boolean {
  const c = name.charCodeAt(at);
  return (c >= 97 && c <= 122) || (c >= 48 && c <= 57);
}

function validateSeccomp(profile: SeccompProfile, at: FieldPath, { errors }: Rules): void {
  if (!profile.type) {
    errors.push(required(at.child("type"), "type is required when seccompProfile is set"));
  } else if (!PROFILE_TYPES.includes(profile.type)) {
    errors.push(notSupported(at.child("type"), profile.type, PROFILE_TYPES));
  }
  const path = at.child("localhostProfile");
  if (profile.type === "Localhost") {
    // An empty path would mean no confinement at all at the node.
    if (!profile.localhostProfile) {
      errors.push(required(path, "must be set when seccomp type is Localhost"));
    } else localDescendingPath(errors, profile.localhostProfile, path);
  } else if (profile.localhostProfile !== undefined) {
    errors.push(invalidValue(path, profile, "can only be set when seccomp type is Localhost"));
  }
}

function validateAppArmor(profile: AppArmorProfile, at: FieldPath, { errors }: Rules): void {
  const path = at.child("localhostProfile");
  const local = profile.localhostProfile;
  if (profile.type === "Localhost") {
    if (local === undefined || local === "") {
      errors.push(required(path, "must be set when AppArmor type is Localhost"));
    } else if (local.trim() !== local) {
      errors.push(invalidValue(path, local, "must not be padded with whitespace"));
    }
    if (local && local.length > MAX_APPARMOR_PROFILE) errors.push(tooLong(path, MAX_APPARMOR_PROFILE));
  } else if (!profile.type) {
    errors.push(required(at.child("type"), "type is required when appArmorProfile is set"));
  } else if (!PROFILE_TYPES.includes(profile.type)) {
    errors.push(notSupported(at.child("type"), profile.type, PROFILE_TYPES));
  } else if (local !== undefined) {
    errors.push(invalidValue(path, local, "can only be set when AppArmor type is Localhost"));
  }
}

/** A pod with users of its own shares no other namespace with the host. */
export function validateHostUsers(spec: PodSpec, at: FieldPath, { errors }: Rules): void {
  if (spec.hostUsers !== false) return;
  const why = "when `pod.Spec.HostUsers` is false";
  if (spec.hostNetwork) errors.push(forbiddenField(at.child("hostNetwork"), why));
  if (spec.hostPID) errors.push(forbiddenField(at.child("HostPID"), why));
  if (spec.hostIPC) errors.push(forbiddenField(at.child("HostIPC"), why));
}
