/** The revisions of a DaemonSet: one that is current, and those before it. */
import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { Pod } from "../../api/core/pod/pod.ts";
import type { DaemonSet } from "../../api/schema/apps.v1.generated.ts";
import type { Client } from "../../client/client.ts";
import { createRevision, deleteRevisions, renumber } from "../workloads/history/keep-revisions.ts";
import { isRevisionOf, nextRevision, outdated, REVISION_HASH_LABEL } from "../workloads/history/revision.ts";
import { hashOfPod } from "./daemon-pod.ts";

export interface History {
  /** The label of pods that are up to date. */
  hash: string;
  collisions: number;
  old: ControllerRevision[];
}

const DEFAULT_LIMIT = 10;

/** `known` in order. Makes the current revision, or makes it the latest; of several alike only one stays. */
export async function keepHistory(
  client: Client,
  set: DaemonSet,
  known: readonly ControllerRevision[],
  pods: readonly Pod[],
): Promise<History> {
  const template = set.spec!.template;
  const labelled: ControllerRevision[] = [];
  for (const revision of known) labelled.push(await withHash(client, revision));
  const alike = labelled.filter((revision) => isRevisionOf(template, revision));
  const old = labelled.filter((revision) => !alike.includes(revision));
  const number = nextRevision(old);
  const collisions = set.status?.collisionCount ?? 0;
  const current = alike.at(-1);
  if (!current) {
    const draft = { owner: set, template, revision: number, hashLabel: REVISION_HASH_LABEL };
    const made = await createRevision(client, draft, collisions);
    return { hash: hashOf(made.revision), collisions: made.collisions, old };
  }
  const hash = hashOf(current);
  if (alike.length > 1) {
    await relabel(client, pods, alike.slice(0, -1).map(hashOf), hash);
    await deleteRevisions(client, alike.slice(0, -1));
  }
  if (current.revision < number) await renumber(client, current, number);
  return { hash, collisions, old };
}

function hashOf({ metadata }: ControllerRevision): string {
  return metadata.labels?.[REVISION_HASH_LABEL] ?? metadata.name!;
}

/** One that somebody else made may lack the label; its name is as good a hash. */
async function withHash(client: Client, revision: ControllerRevision): Promise<ControllerRevision> {
  const { name, namespace, labels } = revision.metadata;
  if (labels?.[REVISION_HASH_LABEL]) return revision;
  const metadata = { ...revision.metadata, labels: { ...labels, [REVISION_HASH_LABEL]: name! } };
  return client.resource(ControllerRevision, namespace).update({ ...revision, metadata });
}

/** Pods of a revision that goes are as much of the one alike that stays. */
async function relabel(
  client: Client,
  pods: readonly Pod[],
  from: readonly string[],
  to: string,
): Promise<void> {
  for (const pod of pods) {
    if (!from.includes(hashOfPod(pod) ?? "")) continue;
    const { name = "", namespace, uid } = pod.metadata;
    const patch = { metadata: { uid, labels: { [REVISION_HASH_LABEL]: to } } };
    await client.resource(Pod, namespace).patch(name, patch, { type: "merge" });
  }
}

export async function truncateHistory(
  client: Client,
  set: DaemonSet,
  { old }: History,
  pods: readonly Pod[],
): Promise<void> {
  const excess = old.length - (set.spec?.revisionHistoryLimit ?? DEFAULT_LIMIT);
  if (excess <= 0) return;
  const live = new Set(pods.map(hashOfPod));
  const idle = outdated(old, (revision) => live.has(hashOf(revision)), 0);
  await deleteRevisions(client, idle.slice(0, excess));
}
