/**
 * Runs a pod of each DaemonSet on every node that fits.
 *
 *   set ──▶ history (current hash) ──▶ plan (plan.ts) ──▶ creates and deletes ──▶ status
 *
 * Where nothing but pods changed, only their nodes are looked at (standing.ts). A node is judged once for each of its states, and a change of it is told only to the sets that judge it otherwise.
 */
import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { DaemonSet } from "../../api/apps/daemon-set.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod/pod.ts";
import { isPodActive, isPodReady, podAvailableAt } from "../../api/core/pod/state.ts";
import type { KubeObject } from "../../api/object.ts";
import type { DaemonSetStatus } from "../../api/schema/apps.v1.generated.ts";
import type { Change } from "../../client/informer/informer.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual, semanticEqual } from "../../machinery/json/equal.ts";
import {
  type LabelSelector,
  labelSelectorOf,
  NOTHING,
  SelectorError,
} from "../../machinery/selectors/labels.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { claim } from "../workloads/claim.ts";
import { revisionsOf } from "../workloads/history/keep-revisions.ts";
import { claimable, isNewOrphan, ownedIndexes, ownerKeys } from "../workloads/owned.ts";
import { slowStart } from "../workloads/slow-start.ts";
import { daemonPods, targetNode } from "./daemon-pod.ts";
import { FailedPods } from "./failed-pods.ts";
import { keepHistory, truncateHistory } from "./keep-history.ts";
import { type Judge, judgeOf, type Verdict } from "./node-verdict.ts";
import { earliest, type Plan, planDaemons, podsByNode, type Seen } from "./plan.ts";
import {
  DAEMON_NODE,
  daemonNode,
  daemonNodeKey,
  isUpToDate,
  Standing,
  Standings,
  type Taken,
} from "./standing.ts";

type Inputs = { sets: DaemonSet; nodes: Node; pods: Pod; revisions: ControllerRevision };

/** Upstream's: what one pass makes or deletes at most. */
const BURST = 250;
/** From so many pods on, changes are looked at together. */
const MANY = 200;
/** Milliseconds that pods that become ready are waited for. */
const SOON = 20;
/** All nodes are looked at after a pause of a millisecond for so many of them, but for no longer than this. */
const PASSES = 50;
const LONGEST_PAUSE = 200;

export const daemonSetController = defineController<Inputs>({
  name: "daemonset-controller",
  account: "daemon-set-controller",
  workers: 2,
  inputs: {
    sets: input(DaemonSet, ({ key }) => [key]),
    nodes: input(Node, () => []),
    // Which changes are worth a look, and when, is told below.
    pods: input(Pod, () => [], undefined, { ...ownedIndexes, [DAEMON_NODE]: daemonNode }),
    revisions: input(ControllerRevision, () => [], undefined, ownedIndexes),
  },
  start,
});

interface Known {
  judgeOf: (set: DaemonSet) => Judge;
  selectorOf: (set: DaemonSet) => LabelSelector;
  failures: FailedPods;
  standings: Standings;
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const judges = new WeakMap<DaemonSet, Judge>();
  const known: Known = {
    judgeOf: perObject(judgeOf, judges),
    selectorOf: perObject(selectorOf),
    failures: new FailedPods(),
    standings: new Standings(),
  };
  // A new state of a set judges as the one before, unless its template changed.
  context.informers.of(DaemonSet).subscribe(({ now, was }) => {
    const judge = was && judges.get(was);
    if (now && judge && now.metadata.generation === was.metadata.generation) judges.set(now, judge);
  });
  follow(context, listers, known);
  return async (key: string) => {
    const { namespace, name } = splitKey(key);
    const set = listers.sets.get(namespace, name);
    if (!set || set.metadata.deletionTimestamp !== undefined) {
      known.standings.forget(key);
      return undefined;
    }
    try {
      return await sync(context, listers, known, set);
    } catch (error) {
      // Nothing more is made in a namespace on its way out.
      if (isNamespaceTerminating(error) || isReason(error, "NotFound")) return undefined;
      throw error;
    }
  };
}

/** Asks for another look at the sets that a change of a node, a pod or a revision may concern. */
function follow({ informers, again }: ControllerContext, { sets }: Listers<Inputs>, known: Known): void {
  const { standings } = known;
  const lookAtAll = (key: string): void => {
    standings.drop(key);
    again(key);
  };
  /** Of many pods, those that become ready one by one are counted together. */
  const delayOf = (key: string, { now, was }: Change<Pod>): number => {
    const { namespace, name } = splitKey(key);
    const many = sets.get(namespace, name)?.status?.desiredNumberScheduled ?? 0;
    if (many <= MANY) return 0;
    if (!standings.has(key)) return Math.min(many / PASSES, LONGEST_PAUSE);
    return now && was && isPodActive(now) && isPodActive(was) ? SOON : 0;
  };
  informers.of(Node).subscribe(({ now, was }) => {
    if (now && was && looksAlike(now, was)) return;
    for (const set of sets.list()) {
      const judge = known.judgeOf(set);
      const verdict = (node?: Node): Verdict | undefined => node && judge(node);
      if (verdict(now) !== verdict(was)) lookAtAll(keyOf(set));
    }
  });
  const adoptable = (change: Change<KubeObject>): void => {
    if (!isNewOrphan(change)) return;
    const { labels, namespace } = change.now!.metadata;
    for (const set of sets.list(namespace)) if (known.selectorOf(set).matches(labels)) lookAtAll(keyOf(set));
  };
  informers.of(Pod).subscribe((change) => {
    adoptable(change);
    const { now, was } = change;
    if (now && was && countsAlike(now, was)) return;
    const keys = ownerKeys(change, DaemonSet);
    const nodes = [now && targetNode(now), was && targetNode(was)];
    // What is seen of it beside its labels and owner is its node's matter alone.
    const isOfNode = !now || !was || hasSameOwner(now, was);
    for (const key of keys) {
      if (isOfNode) for (const node of nodes) if (node !== undefined) standings.changed(key, node);
      if (!isOfNode) standings.drop(key);
      again(key, delayOf(key, change));
    }
  });
  informers.of(ControllerRevision).subscribe((change) => {
    adoptable(change);
    for (const key of ownerKeys(change, DaemonSet)) lookAtAll(key);
  });
}

/** Whether a pod is the same to every DaemonSet: most changes of pods are news of their containers. */
function countsAlike(now: Pod, was: Pod): boolean {
  return (
    now.status?.phase === was.status?.phase &&
    now.metadata.deletionTimestamp === was.metadata.deletionTimestamp &&
    isPodReady(now) === isPodReady(was) &&
    podAvailableAt(now, 1) === podAvailableAt(was, 1) &&
    now.spec?.nodeName === was.spec?.nodeName &&
    hasSameOwner(now, was)
  );
}

function hasSameOwner({ metadata: now }: Pod, { metadata: was }: Pod): boolean {
  return (
    now.uid === was.uid &&
    deepEqual(now.labels, was.labels) &&
    deepEqual(now.ownerReferences, was.ownerReferences)
  );
}

async function sync(
  context: ControllerContext,
  listers: Listers<Inputs>,
  known: Known,
  set: DaemonSet,
): Promise<WorkResult> {
  const key = keyOf(set);
  const now = context.clock.now();
  const taken = known.standings.take(key);
  const standing =
    (taken.standing?.fits(set, now) && (await lookAtNodes(context, listers, known, set, taken))) ||
    (await lookAtAll(context, listers, known, set));
  if (!standing) return undefined;
  if (standing instanceof Standing) known.standings.keep(key, standing, taken);
  const { lookAgain } = standing;
  if (lookAgain === undefined) return undefined;
  const pause = listers.pods.by("controllerUID", set.metadata.uid!).length > MANY ? SOON : 0;
  return { after: Math.max(lookAgain - now, pause) };
}

/** Looks at the nodes of changed pods alone; undefined where that does not do. */
async function lookAtNodes(
  context: ControllerContext,
  { nodes, pods }: Listers<Inputs>,
  { judgeOf, selectorOf, failures }: Known,
  set: DaemonSet,
  taken: Taken,
): Promise<Standing | undefined> {
  const standing = taken.standing!;
  if (taken.nodes.size === 0) return standing;
  const uid = set.metadata.uid!;
  const changed: Node[] = [];
  const mine: Pod[] = [];
  for (const name of taken.nodes) {
    const node = nodes.get("", name);
    if (!node) return undefined;
    changed.push(node);
    mine.push(...pods.by(DAEMON_NODE, daemonNodeKey(uid, name)));
  }
  const selector = selectorOf(set);
  if (!isUpToDate(mine, standing.hash) || !mine.every((pod) => selector.matches(pod.metadata.labels))) {
    return undefined;
  }
  const now = context.clock.now();
  const backoff = (node: string): number => failures.left(uid, node, now);
  const seen = { set, hash: standing.hash, nodes: changed, judge: judgeOf(set), pods: mine, now, backoff };
  const byNode = podsByNode(mine);
  const plan = planDaemons(seen, byNode);
  if (isTooMuch(plan)) return undefined;
  tellEnded(context, seen, plan, failures);
  const refused = await carryOut(context, seen, plan);
  await writeStatus(context, set, standing.look(seen, byNode));
  if (refused !== undefined) throw refused;
  standing.lookAgain = earliest(standing.lookAgain, plan.lookAgain);
  return standing;
}

/** Looks at every node. What is left of it is a standing only where the nodes of changed pods will do from now on. */
async function lookAtAll(
  context: ControllerContext,
  { nodes, pods, revisions }: Listers<Inputs>,
  { judgeOf, selectorOf, failures }: Known,
  set: DaemonSet,
): Promise<Standing | { lookAgain: number | undefined } | undefined> {
  const { client, events, clock } = context;
  const selector = selectorOf(set);
  if (selector.everything) {
    const note = "This daemon set is selecting all pods. A non-empty selector is required.";
    events.record(set, "Warning", "SelectingAll", note);
    return undefined;
  }
  const candidates = claimable(pods, set);
  const mine = await claim<Pod>({ client, resource: Pod, owner: set, selector, candidates });
  const past = await revisionsOf(client, revisions, set, selector);
  const history = await keepHistory(client, set, past, mine);
  const now = clock.now();
  const seen: Seen = {
    set,
    hash: history.hash,
    nodes: nodes.list(),
    judge: judgeOf(set),
    pods: mine,
    now,
    backoff: (node) => failures.left(set.metadata.uid!, node, now),
  };
  const byNode = podsByNode(mine);
  const plan = planDaemons(seen, byNode);
  tellEnded(context, seen, plan, failures);
  const refused = await carryOut(context, seen, plan);
  await truncateHistory(client, set, history, mine);
  const standing = new Standing(seen, byNode, history.collisions, plan.lookAgain);
  await writeStatus(context, set, standing.status);
  if (refused !== undefined) throw refused;
  return isUpToDate(mine, history.hash) && !isTooMuch(plan) ? standing : { lookAgain: plan.lookAgain };
}

function isTooMuch(plan: Plan): boolean {
  return plan.create.length > BURST || plan.delete.length > BURST;
}

async function writeStatus(
  { client }: ControllerContext,
  set: DaemonSet,
  status: DaemonSetStatus,
): Promise<void> {
  if (semanticEqual(status, set.status)) return;
  await client.resource(DaemonSet, set.metadata.namespace).updateStatus({ ...set, status });
}

function perObject<K extends object, V>(of: (key: K) => V, known = new WeakMap<K, V>()): (key: K) => V {
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = of(key);
      known.set(key, value);
    }
    return value;
  };
}

/** A selector that cannot be read selects nothing; validation lets none in. */
function selectorOf({ spec }: DaemonSet): LabelSelector {
  try {
    return labelSelectorOf(spec?.selector);
  } catch (error) {
    if (error instanceof SelectorError) return NOTHING;
    throw error;
  }
}

/** Whether every set judges both alike: most changes of nodes are heartbeats. */
function looksAlike(a: Node, b: Node): boolean {
  return semanticEqual(a.metadata.labels, b.metadata.labels) && semanticEqual(a.spec?.taints, b.spec?.taints);
}

function tellEnded(
  { events }: ControllerContext,
  { set, now }: Seen,
  { ended }: Plan,
  failures: FailedPods,
): void {
  for (const { pod, node } of ended) {
    failures.count(set.metadata.uid!, node, now);
    const { namespace, name } = pod.metadata;
    const where = `daemon pod ${namespace}/${name} on node ${node}`;
    if (pod.status?.phase === "Failed") {
      events.record(set, "Warning", "FailedDaemonPod", `Found failed ${where}, will try to kill it`);
    } else
      events.record(set, "Normal", "SucceededDaemonPod", `Found succeeded ${where}, will try to delete it`);
  }
}

/** Returns the first refusal; undefined where there was none. */
async function carryOut(
  { client, events }: ControllerContext,
  { set, hash }: Seen,
  plan: Plan,
): Promise<unknown> {
  const pods = client.resource(Pod, set.metadata.namespace);
  const podOn = daemonPods(set, hash);
  const refused: unknown[] = [];
  const create = async (node: string): Promise<void> => {
    try {
      const { metadata } = await pods.create(podOn(node));
      events.record(set, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`);
    } catch (error) {
      if (!isNamespaceTerminating(error)) {
        events.record(set, "Warning", "FailedCreate", `Error creating: ${textOf(error)}`);
      }
      throw error;
    }
  };
  const remove = async ({ metadata: { name = "", uid } }: Pod): Promise<void> => {
    try {
      await pods.delete(name, { preconditions: { uid } });
      events.record(set, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    } catch (error) {
      if (isReason(error, "NotFound", "Conflict")) return;
      events.record(set, "Warning", "FailedDelete", `Error deleting: ${textOf(error)}`);
      refused.push(error);
    }
  };
  const nodes = plan.create.slice(0, BURST);
  await slowStart(
    nodes.length,
    (i) => create(nodes[i]!),
    (error) => refused.push(error),
  );
  await Promise.all(plan.delete.slice(0, BURST).map(remove));
  return refused[0];
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
