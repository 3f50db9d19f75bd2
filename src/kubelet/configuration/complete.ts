/** What holds where a file says nothing, as upstream completes it. */

import type { Setting } from "./setting.ts";
import type { KubeletConfiguration } from "./settings.ts";
import { SETTINGS } from "./settings.ts";

/** What of the fields a file says. */
export type GivenConfiguration = Partial<KubeletConfiguration>;

/** Several small images at once are faster than one after the other, and share the network anyway: upstream has 1. */
const PULLS_AT_A_TIME = 3;
const REPORT_FREQUENCY = "5m0s";

const DECLARED = Object.entries<Setting<unknown>>(SETTINGS);

export function completed(given: GivenConfiguration): KubeletConfiguration {
  const said = new Map(Object.entries(given));
  const all: Record<string, unknown> = {};
  for (const [name, { fallback, pointer }] of DECLARED) {
    const value = said.get(name);
    if (value !== undefined && (pointer || !isNothing(value))) all[name] = value;
    else if (fallback !== undefined) all[name] = fallback;
  }
  const configuration = all as unknown as KubeletConfiguration;
  return {
    ...configuration,
    ...pullsOf(configuration),
    nodeStatusReportFrequency:
      configuration.nodeStatusReportFrequency ??
      // Who looks more often wanted to tell more often, before there were two fields.
      (isNothing(given.nodeStatusUpdateFrequency)
        ? REPORT_FREQUENCY
        : configuration.nodeStatusUpdateFrequency),
    evictionHard:
      configuration.mergeDefaultEvictionSettings && given.evictionHard
        ? { ...SETTINGS.evictionHard.fallback, ...given.evictionHard }
        : configuration.evictionHard,
    podPidsLimit: configuration.podPidsLimit < 0 ? -1 : configuration.podPidsLimit,
  };
}

function pullsOf({
  serializeImagePulls,
  maxParallelImagePulls,
}: GivenConfiguration): Pick<KubeletConfiguration, "serializeImagePulls" | "maxParallelImagePulls"> {
  if (serializeImagePulls !== undefined) return { serializeImagePulls, maxParallelImagePulls };
  if (maxParallelImagePulls === undefined)
    return { serializeImagePulls: false, maxParallelImagePulls: PULLS_AT_A_TIME };
  return { serializeImagePulls: maxParallelImagePulls < 2, maxParallelImagePulls };
}

/** What Go cannot tell from nothing, where the field is no pointer. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === 0 || value === "" || value === "0s") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
