/** Which plugins a profile has at an extension point, and in which order (upstream: expandMultiPointPlugins). */
import type { ExtensionPoint, PluginChoice, PluginSet, ProfileConfiguration } from "./configuration.ts";

const NOTHING: PluginSet = { enabled: [], disabled: [] };
const ALL = "*";

/** The plugins that are on everywhere: the defaults, changed by what the profile says under multiPoint. */
export function onEverywhere(
  { plugins }: Pick<ProfileConfiguration, "plugins">,
  defaults: readonly PluginChoice[],
): PluginChoice[] {
  const { enabled, disabled } = plugins.get("multiPoint") ?? NOTHING;
  const asked = new Map(enabled.map((choice) => [choice.name, choice]));
  const off = new Set(disabled);
  const kept = off.has(ALL) ? [] : defaults.filter(({ name }) => !off.has(name));
  // One that is given again keeps its place and takes its new weight.
  const merged = kept.map((choice) => {
    const again = asked.get(choice.name);
    asked.delete(choice.name);
    return again ?? choice;
  });
  return [...merged, ...asked.values()];
}

/**
 * Those named at the point itself that are on everywhere too, first; then the others that are on everywhere; then the
 * rest of those named at the point.
 */
export function pluginsAt(
  point: ExtensionPoint,
  { plugins }: Pick<ProfileConfiguration, "plugins">,
  everywhere: readonly PluginChoice[],
): PluginChoice[] {
  const { enabled, disabled } = plugins.get(point) ?? NOTHING;
  const off = new Set(disabled);
  const named = new Set(enabled.map(({ name }) => name));
  const known = new Set(everywhere.map(({ name }) => name));
  const others = off.has(ALL) ? [] : everywhere.filter(({ name }) => !off.has(name) && !named.has(name));
  return [
    ...enabled.filter(({ name }) => known.has(name)),
    ...others,
    ...enabled.filter(({ name }) => !known.has(name)),
  ];
}
