/** A pod's volumes: names, one source each, and the sources that pods use today. */
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from "../../../machinery/names/names.ts";
import { validateLabelSelector } from "../../../machinery/selectors/validate.ts";
import type {
  ConfigMapVolumeSource,
  CSIVolumeSource,
  EphemeralVolumeSource,
  Volume,
} from "../../schema/core.v1.generated.ts";
import { eachInvalid, needs, noBacksteps, type Rules } from "./checks.ts";
import { isNegative } from "./quantities.ts";
import { validateKeyToPath, validateMode } from "./validate-files.ts";
import { validateDownwardAPIFile, validateProjected } from "./validate-projected.ts";
import { REMOTE_SOURCES } from "./validate-remote-volumes.ts";
import { validateResourceName } from "./validate-resources.ts";

const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const NO_VOLUMES: ReadonlyMap<string, Volume> = new Map();

/** Checks the list and gives the volumes that are right, by name: mounts of the others would only be said twice. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  at: FieldPath,
  rules: Rules,
): ReadonlyMap<string, Volume> {
  if (!volumes || volumes.length === 0) return NO_VOLUMES;
  const { errors, podName } = rules;
  const good = new Map<string, Volume>();
  let ephemeral: Set<string> | undefined;
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i] as Volume;
    const path = at.index(i);
    const before = errors.length;
    validateSource(volume, path, rules);
    if (!volume.name) errors.push(required(path.child("name")));
    else {
      const messages = isDNS1123Label(volume.name);
      if (messages.length > 0) eachInvalid(errors, messages, path.child("name"), volume.name);
    }
    if (good.has(volume.name)) errors.push(duplicate(path.child("name"), volume.name));
    if (errors.length === before) good.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (!claim || !podName || !claim.startsWith(`${podName}-`)) continue;
    ephemeral ??= new Set(volumes.filter((v) => v.ephemeral).map(({ name }) => name));
    if (ephemeral.has(claim.slice(podName.length + 1))) {
      const why = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(invalidValue(path.child("persistentVolumeClaim", "claimName"), claim, why));
    }
  }
  return good;
}

type SourceRule = (volume: Volume, at: FieldPath, rules: Rules) => void;

/** The sources in the order in which upstream looks for them: the first is the volume's, any other is one too many. */
const SOURCES: ReadonlyMap<string, SourceRule> = new Map<string, SourceRule>([
  ["emptyDir", validateEmptyDir],
  ["hostPath", validateHostPath],
  ...REMOTE_SOURCES,
  [
    "secret",
    ({ secret }, at, rules) => {
      if (!secret?.secretName) rules.errors.push(required(at.child("secretName")));
      validateFiles(secret, at, rules);
    },
  ],
  [
    "configMap",
    ({ configMap }, at, rules) => {
      if (!configMap?.name) rules.errors.push(required(at.child("name")));
      validateFiles(configMap, at, rules);
    },
  ],
  [
    "persistentVolumeClaim",
    ({ persistentVolumeClaim }, at, { errors }) =>
      needs(errors, persistentVolumeClaim?.claimName, at, "claimName"),
  ],
  [
    "downwardAPI",
    ({ downwardAPI }, at, rules) => {
      validateMode(downwardAPI?.defaultMode, at, "defaultMode", rules);
      for (const item of downwardAPI?.items ?? []) validateDownwardAPIFile(item, at, rules);
    },
  ],
  ["projected", ({ projected }, at, rules) => projected && validateProjected(projected, at, rules)],
  ["csi", ({ csi }, at, rules) => csi && validateCSI(csi, at, rules)],
  [
    "ephemeral",
    ({ ephemeral, name }, at, rules) => ephemeral && validateEphemeral(ephemeral, name, at, rules),
  ],
  ["image", validateImage],
]);

function validateSource(volume: Volume, at: FieldPath, rules: Rules): void {
  let found = 0;
  let only = "";
  for (const key in volume) {
    if (!SOURCES.has(key) || !has(volume, key)) continue;
    found++;
    only = key;
  }
  if (found === 0) rules.errors.push(required(at, "must specify a volume type"));
  else if (found === 1) SOURCES.get(only)?.(volume, at.child(only), rules);
  else {
    let first = true;
    for (const [key, rule] of SOURCES) {
      if (!has(volume, key)) continue;
      if (first) rule(volume, at.child(key), rules);
      else rules.errors.push(forbiddenField(at.child(key), "may not specify more than 1 volume type"));
      first = false;
    }
  }
}

function has(volume: Volume, key: string): boolean {
  const source = volume[key as keyof Volume];
  return source !== undefined && source !== null;
}

function validateEmptyDir({ emptyDir }: Volume, at: FieldPath, { errors }: Rules): void {
  const limit = emptyDir?.sizeLimit;
  if (limit !== undefined && isNegative(limit)) {
    errors.push(forbiddenField(at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"));
  }
}

function validateHostPath({ hostPath }: Volume, at: FieldPath, { errors }: Rules): void {
  if (!hostPath?.path) {
    errors.push(required(at.child("path")));
    return;
  }
  noBacksteps(errors, hostPath.path, at.child("path"));
  if (hostPath.type !== undefined && !HOST_PATH_TYPES.includes(hostPath.type)) {
    errors.push(notSupported(at.child("type"), hostPath.type, HOST_PATH_TYPES));
  }
}

function validateFiles(
  files: Pick<ConfigMapVolumeSource, "defaultMode" | "items"> | undefined,
  at: FieldPath,
  rules: Rules,
): void {
  validateMode(files?.defaultMode, at, "defaultMode", rules);
  files?.items?.forEach((item, i) => {
    validateKeyToPath(item, at.child("items").index(i), rules);
  });
}

function validateCSI(csi: CSIVolumeSource, at: FieldPath, { errors }: Rules): void {
  validateDriverName(csi.driver ?? "", at.child("driver"), errors);
  if (!csi.nodePublishSecretRef) return;
  const path = at.child("nodePublishSecretRef", "name");
  const name = csi.nodePublishSecretRef.name ?? "";
  if (name === "") errors.push(required(path));
  else eachInvalid(errors, isDNS1123Subdomain(name), path, name);
}

const MAX_DRIVER_NAME = 63;

export function validateDriverName(name: string, at: FieldPath, errors: Rules["errors"]): void {
  if (name === "") errors.push(required(at));
  else if (name.length > MAX_DRIVER_NAME) {
    const body = `Too long: may not be more than ${MAX_DRIVER_NAME} bytes`;
    errors.push({ type: "FieldValueTooLong", field: at.toString(), body });
  }
  if (name !== "") eachInvalid(errors, isDNS1123Subdomain(name.toLowerCase()), at, name.toLowerCase());
}

/** A claim that is made for the pod, `<pod>-<volume>`. */
function validateEphemeral(source: EphemeralVolumeSource, volume: string, at: FieldPath, rules: Rules): void {
  const { errors, podName } = rules;
  const template = source.volumeClaimTemplate;
  if (!template) errors.push(required(at.child("volumeClaimTemplate")));
  else {
    const path = at.child("volumeClaimTemplate", "spec");
    const { accessModes = [], resources, selector, volumeMode, storageClassName } = template.spec ?? {};
    if (accessModes.length === 0) {
      errors.push(required(path.child("accessModes"), "at least 1 access mode is required"));
    }
    for (const mode of accessModes) {
      if (!ACCESS_MODES.includes(mode))
        errors.push(notSupported(path.child("accessModes"), mode, ACCESS_MODES));
    }
    if (selector) errors.push(...validateLabelSelector(selector, path.child("selector")));
    const size = resources?.requests?.storage;
    if (size === undefined) errors.push(required(path.child("resources").key("storage")));
    else if (isNegative(size) || size === "0") {
      errors.push(invalidValue(path.child("resources").key("storage"), size, "must be greater than zero"));
    }
    for (const name of Object.keys(resources?.requests ?? {})) {
      if (name !== "storage")
        validateResourceName(name, path.child("resources", "requests").key(name), errors);
    }
    if (storageClassName) {
      eachInvalid(
        errors,
        isDNS1123Subdomain(storageClassName),
        path.child("storageClassName"),
        storageClassName,
      );
    }
    if (volumeMode !== undefined && volumeMode !== "Block" && volumeMode !== "Filesystem") {
      errors.push(notSupported(path.child("volumeMode"), volumeMode, ["Block", "Filesystem"]));
    }
    for (const name of Object.keys(template.metadata?.annotations ?? {})) {
      const field = at.child("volumeClaimTemplate", "metadata", "annotations");
      eachInvalid(errors, isQualifiedName(name.toLowerCase()), field, name);
    }
  }
  if (podName === "" || volume === "") return;
  const claim = `${podName}-${volume}`;
  for (const message of isDNS1123Subdomain(claim)) {
    const path = at.parent?.child("name") ?? at;
    errors.push(invalidValue(path, volume, `PVC name ${JSON.stringify(claim)}: ${message}`));
  }
}

function validateImage({ image }: Volume, at: FieldPath, { errors, isPod }: Rules): void {
  if (isPod && !image?.reference) errors.push(required(at.child("reference")));
  const policy = image?.pullPolicy;
  if (!policy) errors.push(required(at.child("pullPolicy")));
  else if (!PULL_POLICIES.includes(policy))
    errors.push(notSupported(at.child("pullPolicy"), policy, PULL_POLICIES));
}
