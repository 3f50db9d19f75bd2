/** What is wrong with a configuration, as upstream finds it (ValidateKubeletConfiguration, and what is parsed later). */
import { type EvictionConfiguration, parseThresholds } from "../eviction/thresholds.ts";
import { milliseconds } from "./milliseconds.ts";
import type { Setting } from "./setting.ts";
import { type KubeletConfiguration, SETTINGS } from "./settings.ts";

type Check = (configuration: KubeletConfiguration) => string | undefined | false;

const invalid = (what: string): string => `invalid configuration: ${what}`;

/** Where fields must fit together. */
const TOGETHER: readonly Check[] = [
  ({ imageGCLowThresholdPercent: low, imageGCHighThresholdPercent: high }) =>
    low >= high &&
    invalid(
      `imageGCLowThresholdPercent (--image-gc-low-threshold) ${low} must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) ${high}`,
    ),
  ({ imageMinimumGCAge: least }) =>
    milliseconds(least) < 0 && invalid(`imageMinimumGCAge ${least} must not be negative`),
  ({ imageMaximumGCAge: most }) =>
    milliseconds(most) < 0 && invalid(`imageMaximumGCAge ${most} must not be negative`),
  ({ imageMaximumGCAge: most, imageMinimumGCAge: least }) =>
    milliseconds(most) > 0 &&
    milliseconds(most) <= milliseconds(least) &&
    invalid(`imageMaximumGCAge ${most} must be greater than imageMinimumGCAge ${least}`),
  ({ serializeImagePulls, maxParallelImagePulls = 1 }) =>
    serializeImagePulls === true &&
    maxParallelImagePulls > 1 &&
    invalid(
      "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
    ),
  ({ containerLogMonitorInterval }) =>
    milliseconds(containerLogMonitorInterval) < 3000 &&
    invalid("containerLogMonitorInterval must be a positive time duration greater than or equal to 3s"),
  ({ imagePullCredentialsVerificationPolicy: policy }) =>
    !POLICIES.includes(policy) &&
    invalid(
      `option ${JSON.stringify(policy)} specified for imagePullCredentialsVerificationPolicy. Valid options are ${quoted(POLICIES)}`,
    ),
  ({ imagePullCredentialsVerificationPolicy: policy, preloadedImagesVerificationAllowlist: images }) =>
    images.length > 0 &&
    policy !== "NeverVerifyAllowlistedImages" &&
    invalid(
      'can\'t set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVertificationPolicy` is not "NeverVerifyAllowlistedImages"',
    ),
  ({ shutdownGracePeriodCriticalPods: critical, shutdownGracePeriod: all }) =>
    milliseconds(critical) > milliseconds(all) &&
    invalid(`shutdownGracePeriodCriticalPods ${critical} must be <= shutdownGracePeriod ${all}`),
  ({ shutdownGracePeriodByPodPriority: periods, shutdownGracePeriod, shutdownGracePeriodCriticalPods }) =>
    periods.length > 0 &&
    milliseconds(shutdownGracePeriod) + milliseconds(shutdownGracePeriodCriticalPods) > 0 &&
    invalid("Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time"),
  ...(["nodeStatusUpdateFrequency", "nodeStatusReportFrequency", "runtimeRequestTimeout"] as const).map(
    (name): Check =>
      ({ [name]: period = "1s" }) =>
        milliseconds(period) <= 0 && invalid(`${name} ${period} must be greater than zero`),
  ),
];

const POLICIES = [
  "NeverVerify",
  "NeverVerifyPreloadedImages",
  "NeverVerifyAllowlistedImages",
  "AlwaysVerify",
];
const ENFORCEMENTS = [
  "pods",
  "system-reserved",
  "system-reserved-compressible",
  "kube-reserved",
  "kube-reserved-compressible",
  "none",
];

export function checkConfiguration(configuration: KubeletConfiguration): string[] {
  const values = new Map<string, unknown>(Object.entries(configuration));
  const faults = Object.entries<Setting<unknown>>(SETTINGS).flatMap(([name, { check }]) => {
    const value = values.get(name);
    return value === undefined ? [] : (check?.(value) ?? []);
  });
  faults.push(...TOGETHER.flatMap((check) => check(configuration) || []));
  faults.push(...enforcementFaults(configuration.enforceNodeAllocatable));
  return [...faults, ...evictionFaults(configuration)];
}

function enforcementFaults(enforced: readonly string[]): string[] {
  const field = "enforceNodeAllocatable (--enforce-node-allocatable)";
  return enforced.flatMap((one, at) => {
    const shown = JSON.stringify(one);
    if (enforced.indexOf(one) < at) return invalid(`duplicated enforcements ${shown} in ${field}`);
    if (one === "none" && enforced.length > 1)
      return invalid(`${field} may not contain additional enforcements when "none" is specified`);
    if (!ENFORCEMENTS.includes(one))
      return invalid(`option ${shown} specified for ${field}. Valid options are ${quoted(ENFORCEMENTS)}`);
    if (one === "pods" || one === "none") return [];
    return invalid(`${field} ${shown} is not supported: only pods are held to what is theirs`);
  });
}

function evictionFaults(configuration: KubeletConfiguration): string[] {
  try {
    parseThresholds(thresholdsOf(configuration));
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

export function thresholdsOf(configuration: KubeletConfiguration): EvictionConfiguration {
  return { ...configuration, enforcePods: configuration.enforceNodeAllocatable.includes("pods") };
}

/** `"a", "b" or "c"` */
function quoted(words: readonly string[]): string {
  const all = words.map((word) => JSON.stringify(word));
  return `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}
