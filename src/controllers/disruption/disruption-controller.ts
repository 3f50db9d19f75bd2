/**
 * Says in the status of each PodDisruptionBudget how many of its pods may go now; the eviction subresource spends that.
 *
 *   pods of the budget ─┬─ managed by ──▶ how many there ought to be ──▶ how many must be healthy
 *                       └─ ready, not let go ──▶ how many are healthy      the rest may go
 *
 * It also takes the condition of being about to go from pods that nobody deleted after all (keys that begin with "pod ").
 */
import { Deployment } from "../../api/apps/deployment.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { StatefulSet } from "../../api/apps/stateful-set.ts";
import { isPodReady } from "../../api/core/pod/state.ts";
import { Pod, ReplicationController } from "../../api/core/pods.ts";
import type { KubeObject } from "../../api/object.ts";
import { PodDisruptionBudget } from "../../api/policy/pod-disruption-budget.ts";
import type { Client } from "../../client/client.ts";
import type { Change } from "../../client/informer/informer.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual, semanticEqual } from "../../machinery/json/equal.ts";
import { controllerOf, type OwnerReference } from "../../machinery/meta/owner.ts";
import { selectorAsStruct } from "../../machinery/selectors/selector-as-struct.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { Scales } from "../workloads/scales.ts";
import { BudgetPods } from "./budget-pods.ts";
import { budgetView, failedStatus, staleAfter } from "./budget-status.ts";
import { type Expected, expectedPods, type ScaleOf } from "./expected-pods.ts";

type Inputs = {
  budgets: PodDisruptionBudget;
  pods: Pod;
  deployments: Deployment;
  replicaSets: ReplicaSet;
  replicationControllers: ReplicationController;
  statefulSets: StatefulSet;
};

const POD = "pod ";
/** Milliseconds until a budget is counted again whose pods' managers could not be asked. */
const FAILED = 60_000;

export const disruptionController = defineController<Inputs>({
  name: "disruption-controller",
  account: "disruption-controller",
  eventSource: "controllermanager",
  inputs: {
    budgets: input(PodDisruptionBudget, ({ key, now }) => (now ? [key] : [])),
    pods: input(Pod, ({ key, now }) => (now && staleAfter(now, 0) !== undefined ? [`${POD}${key}`] : [])),
    deployments: input(Deployment, () => []),
    replicaSets: input(ReplicaSet, () => []),
    replicationControllers: input(ReplicationController, () => []),
    statefulSets: input(StatefulSet, () => []),
  },
  start,
});

interface Work {
  context: ControllerContext;
  listers: Listers<Inputs>;
  selected: BudgetPods;
  scaleOf: ScaleOf;
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const selected = new BudgetPods(listers.pods);
  follow(context, selected);
  const scaleOf = scaleFinder(listers, new Scales(context.client));
  const work: Work = { context, listers, selected, scaleOf };
  return (key: string) => (key.startsWith(POD) ? freshen(work, key.slice(POD.length)) : count(work, key));
}

/** Asks for another look at the budgets that a change may concern. */
function follow({ informers, again }: ControllerContext, selected: BudgetPods): void {
  informers.of(PodDisruptionBudget).subscribe((change) => selected.budgetChanged(change));
  informers.of(Pod).subscribe((change) => {
    const counts = mayCount(change);
    selected.podChanged(change, (key) => counts && again(key));
  });
  const scaled = ({ now, was }: Change<Scaled>): void => {
    if (!now || !was || now.spec?.replicas === was.spec?.replicas) return;
    const { namespace = "" } = now.metadata;
    for (const key of selected.selecting(namespace, now.spec?.template?.metadata?.labels)) again(key);
  };
  for (const resource of [Deployment, ReplicaSet, ReplicationController, StatefulSet]) {
    informers.of<Scaled>(resource).subscribe(scaled);
  }
}

async function count({ context, listers, selected, scaleOf }: Work, key: string): Promise<WorkResult> {
  const { client, events, clock } = context;
  const { namespace, name } = splitKey(key);
  const budget = listers.budgets.get(namespace, name);
  if (!budget) return undefined;
  const pods = selected.of(namespace, key);
  if (pods.length === 0) events.record(budget, "Normal", "NoPods", "No matching pods found");
  const now = clock.now();
  let expected: Expected;
  try {
    expected = await expectedPods(budget, pods, scaleOf);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const note = `Failed to calculate the number of expected pods: ${why}`;
    events.record(budget, "Warning", "CalculateExpectedPodCountFailed", note);
    await writeStatus(client, budget, failedStatus(budget, error, now));
    return { after: FAILED };
  }
  if (expected.unmanaged.length > 0) tellUnmanaged(context, budget);
  const view = budgetView(budget, pods, expected, now);
  for (const pod of view.notDeleted) {
    const note = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
    events.record(pod, "Warning", "NotDeleted", note);
  }
  await writeStatus(client, budget, view.status);
  return view.lookAgain === undefined ? undefined : { after: view.lookAgain - now + 1 };
}

async function writeStatus(
  client: Client,
  budget: PodDisruptionBudget,
  status: PodDisruptionBudget["status"],
): Promise<void> {
  if (semanticEqual(status, budget.status)) return;
  try {
    await client.resource(PodDisruptionBudget, budget.metadata.namespace).updateStatus({ ...budget, status });
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
}

function tellUnmanaged({ events }: ControllerContext, budget: PodDisruptionBudget): void {
  const selector = selectorAsStruct(budget.spec?.selector);
  const note = `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
  events.record(budget, "Warning", "UnmanagedPods", note);
}

async function freshen({ context, listers }: Work, key: string): Promise<WorkResult> {
  const { namespace, name } = splitKey(key);
  const pod = listers.pods.get(namespace, name);
  const now = context.clock.now();
  const wait = pod && staleAfter(pod, now);
  if (!pod || wait === undefined) return undefined;
  if (wait > 0) return { after: wait };
  const lastTransitionTime = formatTime(now);
  const gone = { reason: null, message: null };
  const condition = { type: "DisruptionTarget", status: "False", lastTransitionTime, ...gone };
  const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
  try {
    const pods = context.client.resource(Pod, namespace);
    await pods.patch(name, patch, { type: "strategic", subresource: "status" });
  } catch (error) {
    if (!isReason(error, "NotFound", "Conflict")) throw error;
  }
  return undefined;
}

interface Scaled extends KubeObject {
  spec?: { replicas?: number; template?: { metadata?: { labels?: Record<string, string> } } };
}

/** Whether the change may be one of what is counted. */
function mayCount({ now, was }: Change<Pod>): boolean {
  if (!now || !was) return true;
  return (
    isPodReady(now) !== isPodReady(was) ||
    now.metadata.deletionTimestamp !== was.metadata.deletionTimestamp ||
    controllerOf(now)?.uid !== controllerOf(was)?.uid ||
    !deepEqual(now.metadata.labels, was.metadata.labels)
  );
}

/** Asks the listers where they know the kind, and the scale subresource of all others. */
function scaleFinder(listers: Listers<Inputs>, scales: Scales): ScaleOf {
  const known = new Map<string, Lister<Scaled>>([
    ["Deployment", listers.deployments],
    ["ReplicaSet", listers.replicaSets],
    ["StatefulSet", listers.statefulSets],
  ]);
  const find = (reference: OwnerReference, namespace: string): Scaled | undefined | "unknown" => {
    const { apiVersion, kind, name, uid } = reference;
    const lister =
      apiVersion === "v1" && kind === "ReplicationController"
        ? listers.replicationControllers
        : apiVersion.startsWith("apps/")
          ? known.get(kind)
          : undefined;
    if (!lister) return "unknown";
    const found = lister.get(namespace, name);
    return found?.metadata.uid === uid ? found : undefined;
  };
  return async (owner, namespace) => {
    const found = find(owner, namespace);
    if (found === "unknown") {
      const scale = (await scales.get(owner, namespace))?.scale;
      if (scale?.metadata.uid !== owner.uid) return undefined;
      return { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 };
    }
    const above = found && controllerOf(found);
    const top = above?.kind === "Deployment" && owner.kind === "ReplicaSet" ? find(above, namespace) : found;
    if (!top || top === "unknown") return undefined;
    return { uid: top.metadata.uid ?? "", replicas: top.spec?.replicas ?? 1 };
  };
}
