/**
 * Runs the pods of StatefulSets: each with an ordinal, names and claims of its own, made and taken away in order.
 *
 *   set ──▶ revisions (current, update) ──▶ plan (plan.ts) ──▶ steps (take-steps.ts) ──▶ status
 */
import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { StatefulSet } from "../../api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod/pod.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Change } from "../../client/informer/informer.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";
import { type LabelSelector, labelSelectorOf, SelectorError } from "../../machinery/selectors/labels.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { claim } from "../workloads/claim.ts";
import {
  createRevision,
  deleteRevisions,
  renumber,
  revisionsOf,
} from "../workloads/history/keep-revisions.ts";
import {
  HASH_LABEL,
  isRevisionOf,
  nextRevision,
  outdated,
  templateOf,
} from "../workloads/history/revision.ts";
import { claimable, ownedIndexes } from "../workloads/owned.ts";
import { isMemberOf, mayClaim, parentAndOrdinal, revisionOf } from "./identity.ts";
import { type Plan, planSet, type Revision, type Seen } from "./plan.ts";
import { statusOf } from "./status.ts";
import { takeSteps } from "./take-steps.ts";

type Inputs = { sets: StatefulSet; pods: Pod; revisions: ControllerRevision; claims: PersistentVolumeClaim };

const DEFAULT_HISTORY = 10;

export const statefulSetController = defineController<Inputs>({
  name: "statefulset-controller",
  account: "statefulset-controller",
  workers: 5,
  inputs: {
    sets: input(StatefulSet, ({ key }) => [key]),
    pods: input(Pod, podKeys, undefined, ownedIndexes),
    revisions: input(ControllerRevision, () => [], undefined, ownedIndexes),
    claims: input(PersistentVolumeClaim, () => []),
  },
  start,
});

/** The set that owns the pod, or the one that the pod's name is of where nobody does, or where the name is free now. */
function podKeys({ now, was }: Change<Pod>): readonly string[] {
  const key = now ? (ownerKey(now) ?? (controllerOf(now) ? undefined : namedKey(now))) : namedKey(was!);
  const before = was && ownerKey(was);
  if (before === undefined || before === key) return key === undefined ? [] : [key];
  return key === undefined ? [before] : [before, key];
}

function ownerKey(pod: KubeObject): string | undefined {
  const owner = controllerOf(pod);
  return owner?.kind === "StatefulSet" ? `${pod.metadata.namespace}/${owner.name}` : undefined;
}

function namedKey({ metadata: { name = "", namespace } }: KubeObject): string | undefined {
  const parsed = parentAndOrdinal(name);
  return parsed && `${namespace}/${parsed.parent}`;
}

interface Revisions {
  current: Revision;
  update: Revision;
  all: ControllerRevision[];
  collisions: number;
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const { informers, again } = context;
  const { sets } = listers;
  // A pod may wait for a claim of its name to be gone, or be gone and needed again.
  informers.of(PersistentVolumeClaim).subscribe(({ now, was }) => {
    if (now || !was) return;
    const { name = "", namespace = "" } = was.metadata;
    for (const set of sets.list(namespace)) {
      if (mayClaim(set, name)) again(`${namespace}/${set.metadata.name}`);
    }
  });

  return async (key: string) => {
    const { namespace, name } = splitKey(key);
    const set = sets.get(namespace, name);
    if (!set) return undefined;
    try {
      return await sync(context, listers, set);
    } catch (error) {
      // Nothing more is made in a namespace on its way out.
      if (isNamespaceTerminating(error)) return undefined;
      throw error;
    }
  };
}

async function sync(
  context: ControllerContext,
  { pods, revisions, claims }: Listers<Inputs>,
  set: StatefulSet,
): Promise<WorkResult> {
  const { client, events, clock } = context;
  const selector = selectorOf(set);
  if (!selector) return undefined;
  const known = await revisionsOf(client, revisions, set, selector);
  const candidates = claimable(pods, set);
  const isWanted = (pod: Pod): boolean => isMemberOf(set, pod);
  const mine = await claim<Pod>({ client, resource: Pod, owner: set, selector, candidates, isWanted });
  const kept = await keepRevisions(context, set, known);
  if (!kept) return undefined;
  const now = clock.now();
  const find = (name: string) => claims.get(set.metadata.namespace ?? "", name);
  const seen: Seen = { set, current: kept.current, update: kept.update, pods: mine, claim: find, now };
  const plan = planSet(seen);
  try {
    await takeSteps({ client, events, claim: find }, set, plan);
  } catch (error) {
    await writeStatus(context, seen, kept, { ...plan, updating: 0 });
    throw error;
  }
  await writeStatus(context, seen, kept, plan);
  await truncate(context, set, kept, mine);
  return plan.lookAgain === undefined ? undefined : { after: plan.lookAgain - now };
}

/** A selector that cannot be read selects nothing, and there is nobody to tell: validation lets none in. */
function selectorOf({ spec }: StatefulSet): LabelSelector | undefined {
  try {
    return labelSelectorOf(spec?.selector);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

/**
 * The revision that is wanted, made, found or made the latest; and the one that pods were at before. None where the
 * set is on its way out and its revisions went before it.
 */
async function keepRevisions(
  { client }: ControllerContext,
  set: StatefulSet,
  known: readonly ControllerRevision[],
): Promise<Revisions | undefined> {
  const template = set.spec!.template;
  const all = [...known];
  let collisions = set.status?.collisionCount ?? 0;
  let update = known.findLast((revision) => isRevisionOf(template, revision));
  const leaving = set.metadata.deletionTimestamp !== undefined;
  if (!update) {
    if (leaving) return undefined;
    const draft = { owner: set, template, revision: nextRevision(known), hashLabel: HASH_LABEL };
    const made = await createRevision(client, draft, collisions);
    update = made.revision;
    collisions = made.collisions;
    all.push(update);
  } else if (update !== known.at(-1) && !leaving) {
    update = await renumber(client, update, nextRevision(known));
    all.splice(
      all.findIndex(({ metadata }) => metadata.uid === update!.metadata.uid),
      1,
    );
    all.push(update);
  }
  const named = known.find(({ metadata }) => metadata.name === set.status?.currentRevision);
  const before = named && templateOf(named);
  const updated = { name: update.metadata.name!, template };
  const current = before ? { name: named.metadata.name!, template: before } : updated;
  return { current, update: updated, all, collisions };
}

async function writeStatus(
  { client }: ControllerContext,
  { set, pods, current, update, now }: Seen,
  { collisions }: Revisions,
  { updating }: Plan,
): Promise<void> {
  const status = statusOf({ set, pods, current, update, collisions, updating, now });
  if (semanticEqual(status, set.status)) return;
  try {
    await client.resource(StatefulSet, set.metadata.namespace).updateStatus({ ...set, status });
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
}

async function truncate(
  { client }: ControllerContext,
  set: StatefulSet,
  { current, update, all }: Revisions,
  pods: readonly Pod[],
): Promise<void> {
  if (set.metadata.deletionTimestamp !== undefined) return;
  const live = new Set([current.name, update.name, ...pods.map(revisionOf)]);
  const limit = set.spec?.revisionHistoryLimit ?? DEFAULT_HISTORY;
  await deleteRevisions(
    client,
    outdated(all, ({ metadata }) => live.has(metadata.name!), limit),
  );
}
