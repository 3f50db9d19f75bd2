/** The environment of a container: of Services, then envFrom, then env; what comes later wins. */
import type { ConfigMap } from "../../../api/core/config-map.ts";
import type { Secret } from "../../../api/core/secret.ts";
import type { Container, EnvVar, EnvVarSource, Pod } from "../../../api/schema/core.v1.generated.ts";
import { PodError } from "../../ports.ts";
import { expand } from "./expand.ts";
import { type PodAddresses, podFieldValue, resourceFieldValue } from "./field-value.ts";

export interface EnvironmentSources extends PodAddresses {
  services: ReadonlyMap<string, string>;
  allocatable: Readonly<Record<string, string>>;
  /** Undefined where there is none of the name in the pod's namespace. */
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** A key of an env file in a volume; undefined where the key, or the file, is not there. */
  fileKey(volume: string, path: string, key: string): string | undefined;
}

/** The names of what must be read of the API before the environment can be made. */
export function environmentObjects(container: Container): { configMaps: Set<string>; secrets: Set<string> } {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name) configMaps.add(configMapRef.name);
    if (secretRef?.name) secrets.add(secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name) secrets.add(valueFrom.secretKeyRef.name);
  }
  return { configMaps, secrets };
}

/** Throws PodError (CreateContainerConfigError) for what is missing and not optional. */
export function containerEnvironment(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const [name, value] of sources.services) values.set(name, Buffer.from(value));
  for (const source of container.envFrom ?? []) {
    const { prefix = "", configMapRef, secretRef } = source;
    const data = configMapRef
      ? configMapData(sources, configMapRef.name ?? "", configMapRef.optional)
      : secretData(sources, secretRef?.name ?? "", secretRef?.optional);
    for (const [key, value] of data ?? []) values.set(`${prefix}${key}`, value);
  }
  const known = (name: string): string | undefined => values.get(name)?.toString();
  for (const variable of container.env ?? []) {
    const value = variableValue(pod, container, variable, sources, known);
    if (value !== undefined) {
      values.delete(variable.name);
      values.set(variable.name, value);
    }
  }
  return values;
}

function variableValue(
  pod: Pod,
  container: Container,
  { name, value, valueFrom }: EnvVar,
  sources: EnvironmentSources,
  known: (name: string) => string | undefined,
): Buffer | undefined {
  if (!valueFrom) return Buffer.from(expand(value ?? "", known));
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef) {
    const text = podFieldValue(pod, fieldRef.fieldPath, sources);
    if (text === undefined) throw missing(`unsupported fieldPath: ${fieldRef.fieldPath}`);
    return Buffer.from(text);
  }
  if (resourceFieldRef) return Buffer.from(resourceValue(pod, container, resourceFieldRef, sources));
  if (configMapKeyRef) {
    const { name: of = "", key, optional } = configMapKeyRef;
    const found = configMapData(sources, of, optional)?.get(key);
    if (found || optional) return found;
    throw missing(`couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${of}`);
  }
  if (secretKeyRef) {
    const { name: of = "", key, optional } = secretKeyRef;
    const found = secretData(sources, of, optional)?.get(key);
    if (found || optional) return found;
    throw missing(`couldn't find key ${key} in Secret ${pod.metadata.namespace}/${of}`);
  }
  if (fileKeyRef) {
    const { volumeName, path, key, optional } = fileKeyRef;
    const found = sources.fileKey(volumeName, path, key);
    if (found !== undefined) return Buffer.from(found);
    if (optional) return undefined;
    throw missing(`environment variable key "${key}" not found in file "${path}"`);
  }
  throw missing(`environment variable ${name} has no source`);
}

function resourceValue(
  pod: Pod,
  container: Container,
  { containerName, resource, divisor }: NonNullable<EnvVarSource["resourceFieldRef"]>,
  { allocatable }: EnvironmentSources,
): string {
  const { spec } = pod;
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const of = containerName ? all.find(({ name }) => name === containerName) : container;
  if (!of) throw missing(`container ${containerName} not found`);
  const text = resourceFieldValue(pod, of, resource, divisor, allocatable);
  if (text === undefined) throw missing(`unsupported container resource : ${resource}`);
  return text;
}

function configMapData(sources: EnvironmentSources, name: string, optional = false) {
  const configMap = sources.configMap(name);
  if (!configMap) {
    if (optional) return undefined;
    throw missing(`configmap "${name}" not found`);
  }
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(configMap.data ?? {})) data.set(key, Buffer.from(value));
  return data;
}

function secretData(sources: EnvironmentSources, name: string, optional = false) {
  const secret = sources.secret(name);
  if (!secret) {
    if (optional) return undefined;
    throw missing(`secret "${name}" not found`);
  }
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(secret.data ?? {})) data.set(key, Buffer.from(value, "base64"));
  return data;
}

function missing(message: string): PodError {
  return new PodError("CreateContainerConfigError", message);
}
