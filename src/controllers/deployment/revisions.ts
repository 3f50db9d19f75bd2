/**
 * The revisions of a Deployment: each pod template that it had is kept by one replica set, which bears in annotations
 * which revision it is now, which ones it was before, and how large the Deployment was when it was last scaled.
 */
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { PodTemplateSpec } from "../../api/schema/core.v1.generated.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { fitsInt64 } from "../../machinery/json/exact-integer.ts";
import { controllerReference } from "../../machinery/meta/owner.ts";
import { hashOf } from "../workloads/history/revision.ts";

export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";
/** Which revision a user asks to go back to. */
export const ROLLBACK_TO = "deprecated.deployment.rollback.to";
const HASH_LABEL = "pod-template-hash";
/** What is the Deployment's own and no replica set gets a copy of. */
export const NOT_COPIED: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  ROLLBACK_TO,
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
/** Characters of the list of former revisions. */
const LONGEST_HISTORY = 2000;

export type Annotations = Readonly<Record<string, string>>;

/** The number that an annotation states; undefined where there is none. */
export function numberOf(annotations: Annotations | undefined, name: string): number | undefined {
  const text = annotations && Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  const number = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isInteger(number) ? number : undefined;
}

/** A revision as an annotation states it: an int64, of which users may set any. */
export function statedRevision(annotations: Annotations | undefined, name: string): bigint | undefined {
  const text = annotations && Object.hasOwn(annotations, name) ? annotations[name]! : "";
  if (!/^[+-]?[0-9]{1,19}$/.test(text)) return undefined;
  const revision = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return fitsInt64(revision) ? revision : undefined;
}

export function revisionOf({ metadata }: ReplicaSet): bigint {
  return statedRevision(metadata.annotations, REVISION) ?? 0n;
}

/** For sorting. */
export function compareRevisions(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function createdFirst(a: ReplicaSet, b: ReplicaSet): number {
  const [at, other] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  if (at !== other) return at < other ? -1 : 1;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

/** Where several have the Deployment's template, the oldest is the new one: it was so before the others came. */
export function findNewReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  return replicaSets.toSorted(createdFirst).find((replicaSet) => hasTemplateOf(deployment, replicaSet));
}

export function hasTemplateOf({ spec }: Deployment, replicaSet: ReplicaSet): boolean {
  const template = replicaSet.spec?.template;
  return template !== undefined && semanticEqual(withoutHash(template), withoutHash(spec!.template));
}

export function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const labels = template.metadata?.labels;
  if (!labels || !Object.hasOwn(labels, HASH_LABEL)) return template;
  const { [HASH_LABEL]: _, ...others } = labels;
  return { ...template, metadata: { ...template.metadata, labels: others } };
}

/** What to create for the Deployment's template, as yet without pods. */
export function makeReplicaSet(deployment: Deployment, annotations: Annotations): ReplicaSet {
  const { spec, status, metadata } = deployment;
  const { selector, template, minReadySeconds } = spec!;
  const hash = hashOf({ template }, status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace,
      labels,
      annotations: { ...annotations },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/**
 * The annotations of the replica set that has the Deployment's template: those of the Deployment, and the next revision.
 * One that had an earlier revision is being rolled back to, and remembers that one.
 */
export function newAnnotations(
  deployment: Deployment,
  were: Annotations,
  othersNewest: bigint,
): Record<string, string> {
  const annotations = copiedAnnotations(were, deployment.metadata.annotations ?? {});
  const before = statedRevision(were, REVISION);
  if ((before ?? 0n) > othersNewest) return annotations;
  annotations[REVISION] = String(othersNewest + 1n);
  if (before !== undefined) annotations[REVISION_HISTORY] = longer(were[REVISION_HISTORY] ?? "", before);
  return annotations;
}

/** `to` with what replica sets and their Deployment pass on to each other. */
export function copiedAnnotations(to: Annotations, from: Annotations): Record<string, string> {
  const annotations: Record<string, string> = { ...to };
  for (const name of Object.keys(from)) if (!NOT_COPIED.has(name)) put(annotations, name, from[name]!);
  return annotations;
}

/** A user may name an annotation `__proto__`. */
function put(annotations: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(annotations, name, { value, enumerable: true, writable: true, configurable: true });
}

function longer(history: string, revision: bigint): string {
  const revisions = history === "" ? [] : history.split(",");
  revisions.push(String(revision));
  while (revisions.join(",").length > LONGEST_HISTORY) revisions.shift();
  return revisions.join(",");
}

/** The old replica sets that go so that no more than the history's limit stay: the oldest revisions without pods. */
export function beyondHistory(
  { spec, metadata }: Deployment,
  oldReplicaSets: readonly ReplicaSet[],
): ReplicaSet[] {
  const limit = spec?.revisionHistoryLimit;
  if (limit === undefined || metadata.deletionTimestamp !== undefined) return [];
  const kept = oldReplicaSets.filter((replicaSet) => replicaSet.metadata.deletionTimestamp === undefined);
  return kept
    .sort((a, b) => compareRevisions(revisionOf(a), revisionOf(b)) || createdFirst(a, b))
    .slice(0, Math.max(kept.length - limit, 0))
    .filter((replicaSet) => {
      const { status, metadata, spec } = replicaSet;
      const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
      return observed && status?.replicas === 0 && spec?.replicas === 0;
    });
}
