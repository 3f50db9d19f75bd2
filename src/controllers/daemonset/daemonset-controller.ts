/**
 * Runs a pod of each DaemonSet on every node that fits.
 *
 *   set ──▶ history (current hash) ──▶ plan (plan.ts) ──▶ creates and deletes ──▶ status
 *
 * A node is judged once for each of its states, and a change of it is told only to the sets that judge it otherwise.
 */
import { ControllerRevision } from "../../api/apps/controller-revision.ts";
import { DaemonSet } from "../../api/apps/daemon-set.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod/pod.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Change } from "../../client/informer/informer.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
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
import { daemonPods } from "./daemon-pod.ts";
import { FailedPods } from "./failed-pods.ts";
import { keepHistory, truncateHistory } from "./keep-history.ts";
import { type Judge, judgeOf, type Verdict } from "./node-verdict.ts";
import { type Plan, planDaemons, podsByNode, type Seen } from "./plan.ts";
import { statusOf } from "./status.ts";

type Inputs = { sets: DaemonSet; nodes: Node; pods: Pod; revisions: ControllerRevision };

/** Upstream's: what one pass makes or deletes at most. */
const BURST = 250;

export const daemonSetController = defineController<Inputs>({
  name: "daemonset-controller",
  account: "daemon-set-controller",
  workers: 2,
  inputs: {
    sets: input(DaemonSet, ({ key }) => [key]),
    nodes: input(Node, () => []),
    pods: input(Pod, (change) => ownerKeys(change, DaemonSet), undefined, ownedIndexes),
    revisions: input(ControllerRevision, (change) => ownerKeys(change, DaemonSet), undefined, ownedIndexes),
  },
  start,
});

interface Known {
  judgeOf: (set: DaemonSet) => Judge;
  selectorOf: (set: DaemonSet) => LabelSelector;
  failures: FailedPods;
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const judges = new WeakMap<DaemonSet, Judge>();
  const known: Known = {
    judgeOf: perObject(judgeOf, judges),
    selectorOf: perObject(selectorOf),
    failures: new FailedPods(),
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
    if (!set || set.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      return await sync(context, listers, known, set);
    } catch (error) {
      // Nothing more is made in a namespace on its way out.
      if (isNamespaceTerminating(error) || isReason(error, "NotFound")) return undefined;
      throw error;
    }
  };
}

/** Asks for another look at the sets that a change of a node, or of something unowned, may concern. */
function follow({ informers, again }: ControllerContext, { sets }: Listers<Inputs>, known: Known): void {
  informers.of(Node).subscribe(({ now, was }) => {
    if (now && was && looksAlike(now, was)) return;
    for (const set of sets.list()) {
      const judge = known.judgeOf(set);
      const verdict = (node?: Node): Verdict | undefined => node && judge(node);
      if (verdict(now) !== verdict(was)) again(keyOf(set));
    }
  });
  const adoptable = (change: Change<KubeObject>): void => {
    if (!isNewOrphan(change)) return;
    const { labels, namespace } = change.now!.metadata;
    for (const set of sets.list(namespace)) if (known.selectorOf(set).matches(labels)) again(keyOf(set));
  };
  informers.of(Pod).subscribe(adoptable);
  informers.of(ControllerRevision).subscribe(adoptable);
}

async function sync(
  context: ControllerContext,
  { nodes, pods, revisions }: Listers<Inputs>,
  { judgeOf, selectorOf, failures }: Known,
  set: DaemonSet,
): Promise<WorkResult> {
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
  const status = statusOf(seen, history.collisions, byNode);
  if (!semanticEqual(status, set.status)) {
    await client.resource(DaemonSet, set.metadata.namespace).updateStatus({ ...set, status });
  }
  if (refused !== undefined) throw refused;
  return plan.lookAgain === undefined ? undefined : { after: plan.lookAgain - now };
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
