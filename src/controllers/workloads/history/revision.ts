/**
 * Revisions as StatefulSets and DaemonSets keep them: each holds a patch that puts one pod template back, and its number
 * says how lately that template was wanted. Nothing here waits or writes.
 */
import type { KubeObject } from "../../../api/object.ts";
import type { ControllerRevision } from "../../../api/schema/apps.v1.generated.ts";
import type { PodTemplateSpec } from "../../../api/schema/core.v1.generated.ts";
import { sortedKeys } from "../../../machinery/apply/compare.ts";
import { semanticEqual } from "../../../machinery/json/equal.ts";
import { isExactInteger } from "../../../machinery/json/exact-integer.ts";
import { isObject } from "../../../machinery/json/json-object.ts";
import { SUFFIX_CHARACTERS } from "../../../machinery/meta/generate-name.ts";
import { controllerReference } from "../../../machinery/meta/owner.ts";

/** Of a revision: the hash it is named by. Of a pod: which revision it was made from. */
export const REVISION_HASH_LABEL = "controller-revision-hash";
/** Where a StatefulSet's revisions keep their hash. */
export const HASH_LABEL = "controller.kubernetes.io/hash";

/** Longer names of owners are cut, so that the hash has its place behind them. */
const LONGEST_PREFIX = 223;

interface RevisionData {
  spec: { template: PodTemplateSpec & { $patch?: string } };
}

/**
 * A strategic merge patch: what `kubectl rollout undo` sends to go back. Its keys are in order, as Go writes those of maps:
 * clients find the revision of a template by comparing bytes.
 */
export function revisionData(template: PodTemplateSpec): RevisionData {
  return inKeyOrder({ spec: { template: { ...template, $patch: "replace" } } });
}

function inKeyOrder<T>(value: T): T {
  if (Array.isArray(value)) return value.map(inKeyOrder) as T;
  if (!isObject(value) || isExactInteger(value)) return value;
  return Object.fromEntries(sortedKeys(value).map((key) => [key, inKeyOrder(value[key])])) as T;
}

/** The template that a revision puts back; undefined where it is none of ours. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const template = (data as Partial<RevisionData> | undefined)?.spec?.template;
  if (!template) return undefined;
  const { $patch: _, ...rest } = template;
  return rest;
}

export function isRevisionOf(template: PodTemplateSpec, revision: ControllerRevision): boolean {
  const kept = templateOf(revision);
  return kept !== undefined && semanticEqual(kept, template);
}

/** Ten characters or fewer that spell no word; `collisions` makes another hash of the same data. */
export function hashOf(data: unknown, collisions: number): string {
  const text = JSON.stringify(data) + collisions;
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  let encoded = "";
  for (const digit of String(hash >>> 0)) {
    encoded += SUFFIX_CHARACTERS[digit.charCodeAt(0) % SUFFIX_CHARACTERS.length];
  }
  return encoded;
}

export interface RevisionDraft {
  owner: KubeObject;
  template: PodTemplateSpec;
  /** Its number. */
  revision: number;
  /** The label that bears the hash. */
  hashLabel: string;
}

/** What to create; `collisions` is how often the name was taken by other data. */
export function newRevision(draft: RevisionDraft, collisions: number): ControllerRevision {
  const { owner, template, revision, hashLabel } = draft;
  const { name = "", namespace, annotations } = owner.metadata;
  const data = revisionData(template);
  const hash = hashOf(data, collisions);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name.slice(0, LONGEST_PREFIX)}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      annotations: { ...annotations },
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision,
  };
}

/** From the oldest to the latest wanted. */
export function inOrder(revisions: readonly ControllerRevision[]): ControllerRevision[] {
  return revisions.toSorted(
    (a, b) =>
      a.revision - b.revision ||
      compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
      compare(a.metadata.name, b.metadata.name),
  );
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function nextRevision(ordered: readonly ControllerRevision[]): number {
  return (ordered.at(-1)?.revision ?? 0) + 1;
}

/** The oldest of those that nothing lives by, beyond what the history keeps. */
export function outdated(
  ordered: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  const past = ordered.filter((revision) => !isLive(revision));
  return past.slice(0, Math.max(past.length - limit, 0));
}
