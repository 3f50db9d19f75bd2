/** Environment variables and where their values come from. */
import { invalidValue, notFoundValue, notSupported, required } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import {
  isConfigMapKey,
  isDNS1123Subdomain,
  isQualifiedName,
  isRelaxedEnvVarName,
} from "../../../machinery/names/names.ts";
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "../../schema/core.v1.generated.ts";
import { eachInvalid, localNonReservedPath, type Rules } from "./checks.ts";
import { isZero } from "./quantities.ts";
import type { VolumeIndex } from "./validate-mounts.ts";

export const ENV_FIELD_PATHS: readonly string[] = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** All the paths that `fieldRef` of v1 knows, whatever place may name them. */
const KNOWN_FIELD_PATHS = new Set([
  ...ENV_FIELD_PATHS,
  "metadata.annotations",
  "metadata.labels",
  "spec.restartPolicy",
  "status.phase",
]);

const RESOURCES: readonly string[] = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

export function validateEnv(env: readonly EnvVar[], volumes: VolumeIndex, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  for (let i = 0; i < env.length; i++) {
    const variable = env[i] as EnvVar;
    if (!variable.name) errors.push(required(at.index(i).child("name")));
    else {
      const messages = isRelaxedEnvVarName(variable.name);
      if (messages.length > 0) eachInvalid(errors, messages, at.index(i).child("name"), variable.name);
    }
    if (variable.valueFrom) {
      const path = at.index(i).child("valueFrom");
      validateValueFrom(variable.valueFrom, variable.value ?? "", volumes, path, rules);
    }
  }
}

function validateValueFrom(
  from: EnvVarSource,
  value: string,
  volumes: VolumeIndex,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  let sources = 0;
  if (from.fieldRef) {
    sources++;
    validateFieldRef(from.fieldRef, ENV_FIELD_PATHS, at.child("fieldRef"), rules);
  }
  if (from.resourceFieldRef) {
    sources++;
    validateResourceFieldRef(from.resourceFieldRef, false, at.child("resourceFieldRef"), rules);
  }
  if (from.configMapKeyRef) {
    sources++;
    validateKeyRef(from.configMapKeyRef, at.child("configMapKeyRef"), rules);
  }
  if (from.secretKeyRef) {
    sources++;
    validateKeyRef(from.secretKeyRef, at.child("secretKeyRef"), rules);
  }
  if (from.fileKeyRef) {
    sources++;
    validateFileKeyRef(from.fileKeyRef, volumes, at.child("fileKeyRef"), rules);
  }
  if (sources === 0) {
    const choice = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    errors.push(invalidValue(at, "", `must specify one of: ${choice}`));
  } else if (value !== "") {
    errors.push(invalidValue(at, "", "may not be specified when `value` is not empty"));
  } else if (sources > 1) {
    errors.push(invalidValue(at, "", "may not have more than one field specified at a time"));
  }
}

/** A path into the pod for the downward API; `allowed` is what this place may name without a subscript. */
export function validateFieldRef(
  ref: ObjectFieldSelector,
  allowed: readonly string[],
  at: FieldPath,
  { errors }: Rules,
): void {
  if (!ref.apiVersion) {
    errors.push(required(at.child("apiVersion")));
    return;
  }
  if (!ref.fieldPath) {
    errors.push(required(at.child("fieldPath")));
    return;
  }
  const open = ref.fieldPath.indexOf("['");
  const subscripted = open > 0 && ref.fieldPath.endsWith("']");
  const path = subscripted ? ref.fieldPath.slice(0, open) : ref.fieldPath;
  if (ref.apiVersion !== "v1") {
    const why = `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`;
    errors.push(invalidValue(at.child("fieldPath"), ref.fieldPath, why));
    return;
  }
  const map = path === "metadata.annotations" || path === "metadata.labels";
  if (subscripted && map) {
    const key = ref.fieldPath.slice(open + 2, -2);
    // Annotation keys may hold capital letters in their prefix; that is for history.
    const name = path === "metadata.annotations" ? key.toLowerCase() : key;
    eachInvalid(errors, isQualifiedName(name), at, name);
    return;
  }
  if (subscripted || !KNOWN_FIELD_PATHS.has(path)) {
    const said = subscripted
      ? `field label does not support subscript: ${ref.fieldPath}`
      : `field label not supported: ${ref.fieldPath}`;
    const why = `error converting fieldPath: ${said}`;
    errors.push(invalidValue(at.child("fieldPath"), ref.fieldPath, why));
    return;
  }
  if (!allowed.includes(path)) {
    errors.push(notSupported(at.child("fieldPath"), path, [...allowed].sort()));
  }
}

export function validateResourceFieldRef(
  ref: ResourceFieldSelector,
  inVolume: boolean,
  at: FieldPath,
  { errors }: Rules,
): void {
  const resource = ref.resource ?? "";
  const hugepages = resource.startsWith("limits.hugepages-") || resource.startsWith("requests.hugepages-");
  if (inVolume && !ref.containerName) errors.push(required(at.child("containerName")));
  else if (!resource) errors.push(required(at.child("resource")));
  else if (!RESOURCES.includes(resource) && !hugepages) {
    errors.push(notSupported(at.child("resource"), resource, RESOURCES));
  }
  const divisor = ref.divisor === undefined ? "" : String(ref.divisor);
  if (divisor === "" || isZero(divisor)) return;
  if (resource.endsWith(".cpu")) {
    if (divisor !== "1m" && divisor !== "1") {
      const why = "only divisor's values 1m and 1 are supported with the cpu resource";
      errors.push(invalidValue(at.child("divisor"), resource, why));
    }
    return;
  }
  const what = hugepages ? "hugepages" : DIVIDED[resource.slice(resource.indexOf(".") + 1)];
  if (what && !DIVISORS.includes(divisor)) {
    const why = `only divisor's values ${DIVISORS.join(", ")} are supported with the ${what} resource`;
    errors.push(invalidValue(at.child("divisor"), resource, why));
  }
}

const DIVIDED: Readonly<Record<string, string | undefined>> = {
  memory: "memory",
  "ephemeral-storage": "local ephemeral storage",
};
const DIVISORS = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

function validateKeyRef(ref: { name?: string; key: string }, at: FieldPath, { errors }: Rules): void {
  const name = ref.name ?? "";
  const messages = isDNS1123Subdomain(name);
  if (messages.length > 0) eachInvalid(errors, messages, at.child("name"), name);
  if (!ref.key) errors.push(required(at.child("key")));
  else eachInvalid(errors, isConfigMapKey(ref.key), at.child("key"), ref.key);
}

/** A variable out of a file that an init container wrote into an emptyDir. */
function validateFileKeyRef(
  ref: FileKeySelector,
  volumes: VolumeIndex,
  at: FieldPath,
  { errors }: Rules,
): void {
  if (!ref.key) errors.push(required(at.child("key")));
  else eachInvalid(errors, isRelaxedEnvVarName(ref.key), at.child("key"), ref.key);
  if (!ref.volumeName) errors.push(required(at.child("volumeName")));
  else {
    const volume = volumes.get(ref.volumeName);
    if (!volume) errors.push(notFoundValue(at.child("volumeName"), ref.volumeName));
    else if (!volume.emptyDir) {
      const why = "referenced volume must be of type emptyDir";
      errors.push(invalidValue(at.child("volumeName"), ref.volumeName, why));
    }
  }
  if (!ref.path) errors.push(required(at.child("path")));
  else localNonReservedPath(errors, ref.path, at.child("path"));
}

export function validateEnvFrom(sources: readonly EnvFromSource[], at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  sources.forEach((source, i) => {
    const path = at.index(i);
    if (source.prefix) {
      eachInvalid(errors, isRelaxedEnvVarName(source.prefix), path.child("prefix"), source.prefix);
    }
    if (source.configMapRef) validateSourceName(source.configMapRef, path.child("configMapRef"), rules);
    if (source.secretRef) validateSourceName(source.secretRef, path.child("secretRef"), rules);
    if (!source.configMapRef && !source.secretRef) {
      errors.push(invalidValue(at, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (source.configMapRef && source.secretRef) {
      errors.push(invalidValue(at, "", "may not have more than one field specified at a time"));
    }
  });
}

function validateSourceName(ref: { name?: string }, at: FieldPath, { errors }: Rules): void {
  if (!ref.name) errors.push(required(at.child("name")));
  else eachInvalid(errors, isDNS1123Subdomain(ref.name), at.child("name"), ref.name);
}
