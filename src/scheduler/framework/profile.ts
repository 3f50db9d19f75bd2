/** A profile at work: its plugins, started, by extension point and in the order of its configuration. */
import type { KubeObject } from "../../api/object.ts";
import type { ResourceKind } from "../../client/resource-client.ts";
import type { Plugin, QueuedPod } from "./plugin.ts";
import type { PodInfo } from "./pod-info.ts";

export interface StartedPlugin {
  readonly name: string;
  /** Of its scores; 0 where it does not score. */
  readonly weight: number;
  readonly plugin: Plugin;
}

/** A change that may let in pods which a plugin rejected. */
export interface Hint {
  readonly plugin: string;
  mayHelp(change: { now?: KubeObject; was?: KubeObject; waiting: PodInfo }): boolean;
}

export interface Profile {
  /** `spec.schedulerName` of its pods. */
  readonly name: string;
  /** Of the nodes, those to find before the search ends; undefined: upstream's adaptive number. */
  readonly percentageOfNodesToScore: number | undefined;
  readonly preEnqueue: readonly StartedPlugin[];
  /** The plugin that sorts: one queue holds the pods of all profiles. */
  readonly queueSorter: string;
  readonly queueSort: (a: QueuedPod, b: QueuedPod) => number;
  readonly filters: readonly StartedPlugin[];
  readonly postFilters: readonly StartedPlugin[];
  readonly scores: readonly StartedPlugin[];
  readonly reserves: readonly StartedPlugin[];
  /** In the opposite order of `reserves`. */
  readonly unreserves: readonly StartedPlugin[];
  readonly permits: readonly StartedPlugin[];
  readonly preBinds: readonly StartedPlugin[];
  readonly binds: readonly StartedPlugin[];
  readonly postBinds: readonly StartedPlugin[];
  /** The resources that plugins want to be told of. */
  readonly hinted: readonly ResourceKind[];
  /** By `plural.group`. */
  readonly hints: ReadonlyMap<string, readonly Hint[]>;
  /** Plugins that do not say what would help: everything may. */
  readonly helpedByAll: readonly string[];
}

export function resourceName({ plural, group }: Pick<ResourceKind, "plural" | "group">): string {
  return `${plural}.${group}`;
}

const ALWAYS = (): boolean => true;

/** Stands for a plugin that rejects where there are no nodes at all. */
export const WITHOUT_NODES = "";

/** What would help the pods that each of `plugins` rejects. */
export function hintsOf(plugins: Iterable<StartedPlugin>): Pick<Profile, "hinted" | "hints" | "helpedByAll"> {
  const hints = new Map<string, Hint[]>([
    ["nodes.", [{ plugin: WITHOUT_NODES, mayHelp: ({ was }) => was === undefined }]],
  ]);
  const hinted: ResourceKind[] = [];
  const helpedByAll: string[] = [];
  for (const { name, plugin } of new Set(plugins)) {
    if (!plugin.requeue) {
      helpedByAll.push(name);
      continue;
    }
    for (const { resource, mayHelp = ALWAYS } of plugin.requeue) {
      const key = resourceName(resource);
      const hint: Hint = { plugin: name, mayHelp };
      const known = hints.get(key);
      if (known) known.push(hint);
      else hints.set(key, [hint]);
      hinted.push(resource);
    }
  }
  return { hinted, hints, helpedByAll };
}
