/** What a scheduler is told to do (kubescheduler.config.k8s.io/v1, KubeSchedulerConfiguration), read and completed. */
import type { ExtenderConfiguration } from "./extender-configuration.ts";

/** Upstream's extension points that a profile can name; a plugin is at those that it has a function for. */
export const EXTENSION_POINTS = [
  "preEnqueue",
  "queueSort",
  "preFilter",
  "filter",
  "postFilter",
  "preScore",
  "score",
  "reserve",
  "permit",
  "preBind",
  "bind",
  "postBind",
] as const;
export type ExtensionPoint = (typeof EXTENSION_POINTS)[number];

export interface PluginChoice {
  name: string;
  /** Of its score; 0 takes the plugin's own. */
  weight: number;
}

export interface PluginSet {
  enabled: readonly PluginChoice[];
  /** `*`: all that would be on without being named. */
  disabled: readonly string[];
}

export interface ProfileConfiguration {
  schedulerName: string;
  percentageOfNodesToScore: number | undefined;
  /** `multiPoint` counts for every point that a plugin has. */
  plugins: ReadonlyMap<ExtensionPoint | "multiPoint", PluginSet>;
  /** Arguments by plugin, as written. */
  args: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

export interface SchedulerConfiguration {
  profiles: readonly ProfileConfiguration[];
  percentageOfNodesToScore: number | undefined;
  /** Milliseconds. */
  podInitialBackoff: number;
  podMaxBackoff: number;
  extenders: readonly ExtenderConfiguration[];
}

export const DEFAULT_PROFILE: ProfileConfiguration = {
  schedulerName: "default-scheduler",
  percentageOfNodesToScore: undefined,
  plugins: new Map(),
  args: new Map(),
};

export const DEFAULT_CONFIGURATION: SchedulerConfiguration = {
  profiles: [DEFAULT_PROFILE],
  percentageOfNodesToScore: undefined,
  podInitialBackoff: 1000,
  podMaxBackoff: 10_000,
  extenders: [],
};
