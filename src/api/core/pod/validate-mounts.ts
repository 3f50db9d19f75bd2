/** Where volumes appear inside a container. */
import {
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import type {
  Container,
  EphemeralContainer,
  Volume,
  VolumeDevice,
  VolumeMount,
} from "../../schema/core.v1.generated.ts";
import { hasBackstep, localDescendingPath, type Rules } from "./checks.ts";

/** The pod's valid volumes by name. */
export type VolumeIndex = ReadonlyMap<string, Volume>;

const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY = ["Disabled", "Enabled", "IfPossible"];

export function validateVolumeMounts(
  container: Container | EphemeralContainer,
  volumes: VolumeIndex,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  const mounts = container.volumeMounts ?? [];
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i] as VolumeMount;
    if (!mount.name) errors.push(required(at.index(i).child("name")));
    const volume = volumes.get(mount.name);
    if (!volume) errors.push(notFoundValue(at.index(i).child("name"), mount.name));
    if (!mount.mountPath) errors.push(required(at.index(i).child("mountPath")));
    for (let j = 0; j < i; j++) {
      if (mounts[j]?.mountPath !== mount.mountPath) continue;
      errors.push(invalidValue(at.index(i).child("mountPath"), mount.mountPath, "must be unique"));
      break;
    }
    if (container.volumeDevices) {
      validateMountApartFromDevices(mount, container.volumeDevices, at.index(i), rules);
    }
    if (mount.subPath || mount.subPathExpr) validateSubPaths(mount, at, i, rules);
    if (mount.mountPropagation) validatePropagation(mount.mountPropagation, container, at, rules);
    if (mount.recursiveReadOnly !== undefined) validateRecursiveReadOnly(mount, at, rules);
  }
}

function validateMountApartFromDevices(
  mount: VolumeMount,
  devices: readonly VolumeDevice[],
  at: FieldPath,
  { errors }: Rules,
): void {
  if (devices.some((device) => device.name === mount.name)) {
    errors.push(invalidValue(at.child("name"), mount.name, "must not already exist in volumeDevices"));
  }
  if (devices.some((device) => device.devicePath === mount.mountPath)) {
    const why = "must not already exist as a path in volumeDevices";
    errors.push(invalidValue(at.child("mountPath"), mount.mountPath, why));
  }
}

function validateSubPaths(mount: VolumeMount, at: FieldPath, i: number, { errors }: Rules): void {
  // Upstream leaves the index out of these two paths.
  if (mount.subPath) localDescendingPath(errors, mount.subPath, at.child("subPath"));
  if (!mount.subPathExpr) return;
  if (mount.subPath) {
    const why = "subPathExpr and subPath are mutually exclusive";
    errors.push(invalidValue(at.index(i).child("subPathExpr"), mount.subPathExpr, why));
  }
  localDescendingPath(errors, mount.subPathExpr, at.child("subPathExpr"));
}

function validatePropagation(
  mode: string,
  container: Container | EphemeralContainer,
  at: FieldPath,
  { errors }: Rules,
): void {
  const path = at.child("mountPropagation");
  if (!PROPAGATIONS.includes(mode)) errors.push(notSupported(path, mode, PROPAGATIONS));
  if (mode === "Bidirectional" && container.securityContext?.privileged !== true) {
    const why = "Bidirectional mount propagation is available only to privileged containers";
    errors.push(forbiddenField(path, why));
  }
}

function validateRecursiveReadOnly(mount: VolumeMount, at: FieldPath, { errors }: Rules): void {
  const path = at.child("recursiveReadOnly");
  const mode = mount.recursiveReadOnly;
  if (mode === "Disabled") return;
  if (mode !== "Enabled" && mode !== "IfPossible") {
    errors.push(notSupported(path, mode, RECURSIVE_READ_ONLY));
    return;
  }
  if (!mount.readOnly) errors.push(forbiddenField(path, "may only be specified when readOnly is true"));
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") {
    const why = "may only be specified when mountPropagation is None or not specified";
    errors.push(forbiddenField(path, why));
  }
}

export function validateVolumeDevices(
  container: Container | EphemeralContainer,
  volumes: VolumeIndex,
  at: FieldPath,
  { errors }: Rules,
): void {
  const devices = container.volumeDevices ?? [];
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  devices.forEach((device, i) => {
    const path = at.index(i);
    const said = (field: "name" | "devicePath", why: string) =>
      errors.push(invalidValue(path.child(field), device[field], why));
    const volume = volumes.get(device.name);
    if (!device.name) errors.push(required(path.child("name")));
    if (names.has(device.name)) said("name", "must be unique");
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      said("name", "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    if (!volume) errors.push(notFoundValue(path.child("name"), device.name));
    if (!device.devicePath) errors.push(required(path.child("devicePath")));
    if (paths.has(device.devicePath)) said("devicePath", "must be unique");
    if (device.devicePath && hasBackstep(device.devicePath)) {
      said("devicePath", "can not contain backsteps ('..')");
    } else paths.add(device.devicePath);
    if (mounts.some((mount) => mount.name === device.name)) {
      said("name", "must not already exist in volumeMounts");
    }
    if (mounts.some((mount) => mount.mountPath === device.devicePath)) {
      said("devicePath", "must not already exist as a path in volumeMounts");
    }
    if (device.name) names.add(device.name);
  });
}
