/**
 * Reads the file of `--kubelet-config`: a KubeletConfiguration of kubelet.config.k8s.io/v1beta1, YAML or JSON. Whatever
 * is not known is refused with its path, so that a mistyped name is not a setting that silently does nothing.
 */
import { isAbsolute, resolve } from "node:path";
import { deepEqual } from "../../machinery/json/equal.ts";
import { isObject, own } from "../../machinery/json/json-object.ts";
import { decodeObject } from "../../machinery/schema/codec.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import { checkConfiguration } from "./check-configuration.ts";
import { completed, type GivenConfiguration, isNothing } from "./complete.ts";
import { OTHER_FIELDS } from "./other-fields.ts";
import { CONFIGURATION_ID, CONFIGURATION_SCHEMAS } from "./schema.ts";
import { type KubeletConfiguration, SETTINGS } from "./settings.ts";

export const API_VERSION = "kubelet.config.k8s.io/v1beta1";
export const KIND = "KubeletConfiguration";

export interface ReadConfiguration {
  configuration: KubeletConfiguration;
  /** The paths of fields that were given and decide nothing here. */
  withoutEffect: string[];
}

/** The message is for whoever wrote the file. */
export class ConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigurationError";
  }
}

export const DEFAULT_CONFIGURATION: KubeletConfiguration = completed({});

/** `directory`: what relative paths begin at, that of the file. Throws ConfigurationError with everything that is wrong. */
export function readKubeletConfiguration(body: Uint8Array, directory: string): ReadConfiguration {
  const given = decoded(body);
  const names = Object.keys(SETTINGS);
  const known = Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
  const configuration = withPaths(completed(known as GivenConfiguration), directory);
  const { withoutEffect, refused } = others(given);
  const faults = [...refused, ...checkConfiguration(configuration)];
  if (faults.length > 0) throw new ConfigurationError(together(faults));
  return { configuration, withoutEffect };
}

function decoded(body: Uint8Array): Record<string, unknown> {
  const format = firstCharacter(body) === "{" ? "json" : "yaml";
  try {
    const decode = decodeObject(CONFIGURATION_SCHEMAS, CONFIGURATION_ID, body, format, { strict: true });
    const { apiVersion, kind, object, strictErrors } = decode;
    if (apiVersion !== API_VERSION || kind !== KIND)
      throw new ConfigurationError(
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}: it must be ${KIND} of ${API_VERSION}`,
      );
    if (strictErrors.length > 0)
      throw new ConfigurationError(`strict decoding error: ${strictErrors.join(", ")}`);
    return object;
  } catch (error) {
    if (error instanceof StatusError) throw new ConfigurationError(error.message);
    throw error;
  }
}

function firstCharacter(body: Uint8Array): string {
  return new TextDecoder().decode(body).trimStart().charAt(0);
}

function others(given: Record<string, unknown>): { withoutEffect: string[]; refused: string[] } {
  const withoutEffect: string[] = [];
  const refused: string[] = [];
  for (const { path, accepts, why } of OTHER_FIELDS) {
    const value = valueAt(given, path);
    if (value === undefined) continue;
    const taken = accepts === undefined || isNothing(value) || accepts.some((one) => deepEqual(one, value));
    if (taken) withoutEffect.push(path);
    else refused.push(`invalid configuration: ${path} ${JSON.stringify(value)} is not supported: ${why}`);
  }
  return { withoutEffect, refused };
}

function valueAt(given: Record<string, unknown>, path: string): unknown {
  let value: unknown = given;
  for (const name of path.split(".")) value = isObject(value) ? own(value, name) : undefined;
  return value;
}

/** Relative paths begin where the file is. */
function withPaths(configuration: KubeletConfiguration, directory: string): KubeletConfiguration {
  const { staticPodPath, resolvConf } = configuration;
  const absolute = (path: string): string =>
    path === "" || isAbsolute(path) ? path : resolve(directory, path);
  return {
    ...configuration,
    ...(staticPodPath === undefined ? {} : { staticPodPath: absolute(staticPodPath) }),
    ...(resolvConf === undefined ? {} : { resolvConf: absolute(resolvConf) }),
  };
}

/** As Go prints several errors as one: each once. */
function together(faults: readonly string[]): string {
  const each = [...new Set(faults)];
  return each.length === 1 ? each[0]! : `[${each.join(", ")}]`;
}
