/** What a change of a pod means for those that wait. */
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { PodInfo } from "./pod-info.ts";

interface PodChange {
  now?: Pod;
  was?: Pod;
}

/** The pod whose room on a node became free, or whose nomination for one ended. */
export function podThatLeft({ now, was }: PodChange): Pod | undefined {
  if (!was || !(was.spec?.nodeName || was.status?.nominatedNodeName) || hasPodEnded(was)) return undefined;
  return !now || hasPodEnded(now) || now.metadata.uid !== was.metadata.uid ? was : undefined;
}

/** The pod that came to a node. */
export function podThatCame({ now, was }: PodChange): Pod | undefined {
  if (!now?.spec?.nodeName || hasPodEnded(now)) return undefined;
  return was?.spec?.nodeName ? undefined : now;
}

/** The pod on a node whose labels changed: it may count, or no longer count, for selectors. */
export function podRelabelled({ now, was }: PodChange): Pod | undefined {
  if (!now?.spec?.nodeName || !was?.spec?.nodeName) return undefined;
  return sameLabels(now.metadata.labels, was.metadata.labels) ? undefined : now;
}

/** The waiting pod itself was changed. */
export function isOwnChange({ now }: PodChange, waiting: PodInfo): boolean {
  return now !== undefined && now.metadata.uid === waiting.uid;
}

type Labels = Readonly<Record<string, string>> | undefined;

export function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  const names = Object.keys(a ?? {});
  if (names.length !== Object.keys(b ?? {}).length) return false;
  return names.every((name) => b !== undefined && Object.hasOwn(b, name) && a?.[name] === b[name]);
}
