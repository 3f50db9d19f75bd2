/**
 * Reads the file of `--scheduler-config`: KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1. Strict: whatever
 * is not known is refused with its path, so that a mistyped name is not a setting that silently does nothing.
 */
import { isDNS1123Subdomain } from "../../machinery/names/names.ts";
import { parseYAMLStrict, YAMLError } from "../../machinery/yaml/yaml.ts";
import { ArgumentsReader, type Given } from "../framework/arguments.ts";
import { ConfigurationError, type PluginDeclaration } from "../framework/plugin.ts";
import {
  DEFAULT_CONFIGURATION,
  DEFAULT_PROFILE,
  EXTENSION_POINTS,
  type ExtensionPoint,
  type PluginSet,
  type ProfileConfiguration,
  type SchedulerConfiguration,
} from "./configuration.ts";
import type { ExtenderConfiguration } from "./extender-configuration.ts";
import { type ReadFile, readExtender } from "./read-extender.ts";

const API_VERSION = "kubescheduler.config.k8s.io/v1";
const KIND = "KubeSchedulerConfiguration";

const FIT = "NodeResourcesFit";

/** Upstream's settings that mean nothing here: they are taken, and told of. */
const WITHOUT_EFFECT = [
  "parallelism",
  "leaderElection",
  "clientConnection",
  "enableProfiling",
  "enableContentionProfiling",
  "delayCacheUntilActive",
];

export interface ReadConfiguration {
  configuration: SchedulerConfiguration;
  /** Fields that were given and have no effect here. */
  withoutEffect: string[];
}

/** Throws a ConfigurationError that says what is wrong and where. */
export function readSchedulerConfiguration(
  text: string,
  plugins: readonly PluginDeclaration[],
  readFile: ReadFile,
): ReadConfiguration {
  const from = new ArgumentsReader(parsed(text));
  const apiVersion = from.text("apiVersion", "");
  const kind = from.text("kind", "");
  if (apiVersion !== API_VERSION || kind !== KIND) {
    throw new ConfigurationError(
      `apiVersion and kind must be ${API_VERSION} and ${KIND}, not ${JSON.stringify(apiVersion)} and ${JSON.stringify(kind)}`,
    );
  }
  const first = from.number("podInitialBackoffSeconds", 1, 0, Number.MAX_SAFE_INTEGER);
  const longest = from.number("podMaxBackoffSeconds", 10, 0, Number.MAX_SAFE_INTEGER);
  if (first === 0) throw from.invalid("podInitialBackoffSeconds", first, "must be greater than 0");
  if (longest < first) {
    throw from.invalid(
      "podMaxBackoffSeconds",
      longest,
      "must be greater than or equal to PodInitialBackoffSeconds",
    );
  }
  const count = Array.isArray(from.raw("profiles")) ? (from.raw("profiles") as unknown[]).length : 0;
  const profiles = from.list("profiles", (profile) => readProfile(profile, count === 1, plugins)) ?? [];
  const extenders = from.list("extenders", (item, path) => readExtender(item, path, readFile)) ?? [];
  const percentageOfNodesToScore = percentage(from);
  const withoutEffect = WITHOUT_EFFECT.filter((name) => from.has(name));
  from.done();
  checkProfiles(profiles);
  checkExtenders(extenders);
  return {
    configuration: {
      profiles: (profiles.length > 0 ? profiles : DEFAULT_CONFIGURATION.profiles).map((profile) =>
        withoutIgnored(profile, extenders),
      ),
      percentageOfNodesToScore,
      podInitialBackoff: first * 1000,
      podMaxBackoff: longest * 1000,
      extenders,
    },
    withoutEffect,
  };
}

function parsed(text: string): unknown {
  try {
    const { value, duplicates } = parseYAMLStrict(text);
    const [twice] = duplicates;
    if (twice !== undefined) throw new ConfigurationError(twice);
    return value;
  } catch (error) {
    if (error instanceof YAMLError) throw new ConfigurationError(error.message);
    throw error;
  }
}

function percentage(from: ArgumentsReader): number | undefined {
  return from.number("percentageOfNodesToScore", 0, 0, 100) || undefined;
}

function readProfile(
  from: ArgumentsReader,
  alone: boolean,
  declarations: readonly PluginDeclaration[],
): ProfileConfiguration {
  const schedulerName = from.text("schedulerName", alone ? DEFAULT_PROFILE.schedulerName : "");
  if (schedulerName === "") throw from.missing("schedulerName");
  const [wrong] = isDNS1123Subdomain(schedulerName);
  if (wrong !== undefined) throw from.invalid("schedulerName", schedulerName, wrong);
  const known = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  const plugins = from.object("plugins", (sets) => readPlugins(sets, known)) ?? new Map();
  const args = new Map<string, Given>();
  from.list("pluginConfig", (item, at) => {
    const name = pluginName(item, known);
    if (args.has(name)) throw item.invalid("name", name, "is given twice");
    const given = item.raw("args");
    try {
      known.get(name)?.arguments?.(given as Given | undefined);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ConfigurationError(`${at}.args: ${error.message}`);
    }
    if (given !== undefined) args.set(name, given as Given);
  });
  return { schedulerName, percentageOfNodesToScore: percentage(from), plugins, args };
}

type Known = ReadonlyMap<string, PluginDeclaration>;

function pluginName(item: ArgumentsReader, known: Known): string {
  const name = item.text("name", "");
  if (name === "") throw item.missing("name");
  if (!known.has(name)) {
    throw item.invalid("name", name, `there is no such plugin; there are ${[...known.keys()].join(", ")}`);
  }
  return name;
}

function readPlugins(from: ArgumentsReader, known: Known): Map<ExtensionPoint | "multiPoint", PluginSet> {
  const sets = new Map<ExtensionPoint | "multiPoint", PluginSet>();
  for (const point of [...EXTENSION_POINTS, "multiPoint"] as const) {
    const set = from.object(point, (at) => readSet(at, known));
    if (set) sets.set(point, set);
  }
  return sets;
}

function readSet(from: ArgumentsReader, known: Known): PluginSet {
  const enabled =
    from.list("enabled", (item) => ({
      name: pluginName(item, known),
      weight: item.number("weight", 0, 0, Number.MAX_SAFE_INTEGER),
    })) ?? [];
  const disabled =
    from.list("disabled", (item) => {
      // Upstream's type has it here too, where it means nothing.
      item.has("weight");
      return item.text("name", "") === "*" ? "*" : pluginName(item, known);
    }) ?? [];
  const names = enabled.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw from.invalid("enabled", twice, "is given twice");
  return { enabled, disabled };
}

/** Resources that an extender keeps count of are none of the plugin's business. */
function withoutIgnored(
  profile: ProfileConfiguration,
  extenders: readonly ExtenderConfiguration[],
): ProfileConfiguration {
  const ignored = extenders
    .flatMap(({ managedResources }) => managedResources)
    .filter(({ ignoredByScheduler }) => ignoredByScheduler)
    .map(({ name }) => name);
  if (ignored.length === 0) return profile;
  const given = profile.args.get(FIT) ?? {};
  const ignoredResources = [...((given.ignoredResources as string[] | undefined) ?? []), ...ignored];
  return { ...profile, args: new Map(profile.args).set(FIT, { ...given, ignoredResources }) };
}

function checkProfiles(profiles: readonly ProfileConfiguration[]): void {
  const names = new Set<string>();
  for (const [i, { schedulerName }] of profiles.entries()) {
    if (names.has(schedulerName)) {
      throw new ConfigurationError(
        `profiles[${i}].schedulerName: Duplicate value: ${JSON.stringify(schedulerName)}`,
      );
    }
    names.add(schedulerName);
  }
}

function checkExtenders(extenders: readonly ExtenderConfiguration[]): void {
  const binders = extenders.filter(({ bindVerb }) => bindVerb !== "").length;
  if (binders > 1) {
    throw new ConfigurationError(
      `extenders: Invalid value: found multiple extenders implementing bind: ${binders}`,
    );
  }
  const managed = new Set<string>();
  for (const [i, { managedResources }] of extenders.entries()) {
    for (const { name } of managedResources) {
      if (managed.has(name)) {
        throw new ConfigurationError(
          `extenders[${i}].managedResources: Invalid value: ${JSON.stringify(name)}: duplicate extender managed resource name`,
        );
      }
      managed.add(name);
    }
  }
}
