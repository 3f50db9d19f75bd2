/** Rejected pods by the plugin that rejected them, so that a change is held only against those whom it may help. */
import type { KubeObject } from "../../api/object.ts";
import type { Profile } from "../framework/profile.ts";
import type { ClusterChange } from "./change-log.ts";
import type { QueueEntry } from "./queue-entry.ts";

/** `now`: what the plugin waited for is there, no backoff; `later`: once its backoff is over. */
export type Help = "now" | "later" | undefined;

const NOBODY: ReadonlySet<QueueEntry> = new Set();

export class WaitingIndex {
  /** By profile, then by plugin: asked for every change, so that no key is made for it. */
  private readonly byProfile = new Map<string, Map<string, Set<QueueEntry>>>();

  add(entry: QueueEntry, profile: string): void {
    let byPlugin = this.byProfile.get(profile);
    if (!byPlugin) {
      byPlugin = new Map();
      this.byProfile.set(profile, byPlugin);
    }
    for (const plugin of entry.rejectedBy) {
      const waiting = byPlugin.get(plugin);
      if (waiting) waiting.add(entry);
      else byPlugin.set(plugin, new Set([entry]));
    }
  }

  remove(entry: QueueEntry, profile: string): void {
    const byPlugin = this.byProfile.get(profile);
    for (const plugin of entry.rejectedBy) byPlugin?.get(plugin)?.delete(entry);
  }

  /** How many each plugin keeps waiting, as `[profile, plugin, count]`. */
  *counts(): Generator<[string, string, number]> {
    for (const [profile, byPlugin] of this.byProfile) {
      for (const [plugin, waiting] of byPlugin) yield [profile, plugin, waiting.size];
    }
  }

  /** Whom a change helps. */
  helped(change: ClusterChange, profile: Profile): Map<QueueEntry, Help> {
    const helped = new Map<QueueEntry, Help>();
    const byPlugin = this.byProfile.get(profile.name);
    for (const { plugin, mayHelp } of profile.hints.get(change.resource) ?? []) {
      const waiting = byPlugin?.get(plugin);
      // Most plugins keep nobody waiting.
      if (!waiting || waiting.size === 0) continue;
      for (const entry of waiting) {
        if (helped.get(entry) === "now" || (helped.has(entry) && !entry.pendingOn.has(plugin))) continue;
        if (!mightHelp(mayHelp, change, entry)) continue;
        helped.set(entry, entry.pendingOn.has(plugin) ? "now" : "later");
      }
    }
    for (const plugin of profile.helpedByAll) {
      for (const entry of byPlugin?.get(plugin) ?? NOBODY) if (!helped.has(entry)) helped.set(entry, "later");
    }
    return helped;
  }
}

/** Whether one change helps one pod. */
export function helpOf(change: ClusterChange, entry: QueueEntry, profile: Profile): Help {
  let help: Help;
  for (const { plugin, mayHelp } of profile.hints.get(change.resource) ?? []) {
    if (!entry.rejectedBy.has(plugin) || !mightHelp(mayHelp, change, entry)) continue;
    if (entry.pendingOn.has(plugin)) return "now";
    help = "later";
  }
  if (help) return help;
  // Its own status changes with every attempt: to take that for help would never end.
  if (change.own !== undefined && !isNewer(change.was, change.now)) return undefined;
  return profile.helpedByAll.some((plugin) => entry.rejectedBy.has(plugin)) ? "later" : undefined;
}

function mightHelp(
  mayHelp: (change: { now?: KubeObject; was?: KubeObject; waiting: QueueEntry["info"] }) => boolean,
  { now, was }: ClusterChange,
  { info }: QueueEntry,
): boolean {
  try {
    return mayHelp({ now, was, waiting: info });
  } catch {
    // A hint that fails must not keep the pod waiting.
    return true;
  }
}

function isNewer(was: KubeObject | undefined, now: KubeObject | undefined): boolean {
  return (
    was?.metadata.generation !== now?.metadata.generation ||
    JSON.stringify(was?.metadata.labels) !== JSON.stringify(now?.metadata.labels)
  );
}
