/** Rolls Deployments out: executes what the plan says, and wakes for what may change it. */
import { Deployment } from "../../api/apps/deployment.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import { Pod } from "../../api/core/pods.ts";
import type { DeploymentStatus } from "../../api/schema/apps.v1.generated.ts";
import type { Change } from "../../client/informer/informer.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { controllerOf, isControlledBy } from "../../machinery/meta/owner.ts";
import { type LabelSelector, labelSelectorOf } from "../../machinery/selectors/labels.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { claim } from "../workloads/claim.ts";
import { controllerUID } from "../workloads/indexes.ts";
import { claimable, isNewOrphan, ownedIndexes, ownerKeys } from "../workloads/owned.ts";
import { type Plan, plan, toldRevision } from "./plan.ts";
import { findNewReplicaSet, hasTemplateOf, REVISION } from "./revisions.ts";
import { rollbackOf } from "./rollback.ts";
import { hasDeadline, progressing, sameStatus, withCondition } from "./status.ts";

type Inputs = { deployments: Deployment; replicaSets: ReplicaSet; pods: Pod };

const SCALED = "ScalingReplicaSet";
const NOT_CREATED = "ReplicaSetCreateError";
const NONE: readonly string[] = Object.freeze([]);

export const deploymentController = defineController<Inputs>({
  name: "deployment-controller",
  account: "deployment-controller",
  workers: 5,
  inputs: {
    deployments: input(Deployment, ({ key, now }) => (now ? [key] : NONE)),
    replicaSets: input(ReplicaSet, (change) => ownerKeys(change, Deployment), undefined, ownedIndexes),
    // Their end is waited for; whose pods they were, only the replica sets tell.
    pods: input(Pod, () => NONE, undefined, { controllerUID }),
  },
  start(context, listers) {
    const { informers, again } = context;
    const { deployments, replicaSets } = listers;
    const rollouts = new Rollouts(context, listers);
    informers.of(ReplicaSet).subscribe((change) => {
      if (!isNewOrphan(change)) return;
      const { namespace, labels } = change.now!.metadata;
      for (const deployment of deployments.list(namespace)) {
        if (rollouts.selectorOf(deployment).matches(labels)) again(keyOf(deployment));
      }
    });
    informers.of(Pod).subscribe((change) => {
      if (!hasJustEnded(change)) return;
      const { namespace = "" } = change.was!.metadata;
      const replicaSet = replicaSets.get(namespace, controllerOf(change.was!)?.name ?? "");
      const owner = replicaSet && controllerOf(replicaSet);
      const deployment = owner && deployments.get(namespace, owner.name);
      if (deployment?.spec?.strategy?.type === "Recreate") again(keyOf(deployment));
    });
    return (key) => rollouts.reconcile(key);
  },
});

function hasJustEnded({ now, was }: Change<Pod>): boolean {
  return (
    was !== undefined &&
    controllerOf(was)?.kind === "ReplicaSet" &&
    (!now || (hasPodEnded(now) && !hasPodEnded(was)))
  );
}

class Rollouts {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly selectors = new WeakMap<Deployment, LabelSelector>();

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
  }

  selectorOf(deployment: Deployment): LabelSelector {
    let selector = this.selectors.get(deployment);
    if (!selector) {
      selector = labelSelectorOf(deployment.spec?.selector);
      this.selectors.set(deployment, selector);
    }
    return selector;
  }

  async reconcile(key: string): Promise<WorkResult> {
    const { client, clock } = this.context;
    const { namespace, name } = splitKey(key);
    const deployment = this.listers.deployments.get(namespace, name);
    if (!deployment) return undefined;
    const replicaSets = await claim<ReplicaSet>({
      client,
      resource: ReplicaSet,
      owner: deployment,
      selector: this.selectorOf(deployment),
      candidates: claimable(this.listers.replicaSets, deployment),
    });
    if (await this.rollBack(deployment, replicaSets)) return undefined;
    const hasRunningPods = ({ metadata }: ReplicaSet): boolean =>
      this.listers.pods.by("controllerUID", metadata.uid!).some((pod) => !hasPodEnded(pod));
    const now = clock.now();
    const planned = plan({ deployment, replicaSets, hasRunningPods, now });
    if (planned.create && !(await this.create(deployment, planned.create))) return undefined;
    try {
      await this.resize(deployment, planned);
    } catch (error) {
      // Whoever was faster wakes this controller by what it wrote.
      if (!isReason(error, "Conflict", "NotFound")) throw error;
    }
    await this.tell(deployment, planned.status, planned.revision);
    return planned.at === undefined ? undefined : { after: Math.max(planned.at - now, 0) };
  }

  /** Whether the Deployment was written: what follows from that is done when it is seen. */
  private async rollBack(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Promise<boolean> {
    const { spec, metadata } = deployment;
    if (spec?.paused || metadata.deletionTimestamp !== undefined) return false;
    // The template as it is gets its revision first, so that it can be returned to.
    const rollback = findNewReplicaSet(deployment, replicaSets) && rollbackOf(deployment, replicaSets);
    if (!rollback) return false;
    const { type, reason, note } = rollback.event;
    await this.context.client.resource(Deployment, metadata.namespace).update(rollback.deployment);
    this.context.events.record(deployment, type, reason, note);
    return true;
  }

  /** Whether the rollout can go on with it. */
  private async create(deployment: Deployment, replicaSet: ReplicaSet): Promise<boolean> {
    const { client, events } = this.context;
    const { name = "", namespace } = replicaSet.metadata;
    const replicaSets = client.resource(ReplicaSet, namespace);
    try {
      await replicaSets.create(replicaSet);
      const size = replicaSet.spec?.replicas ?? 0;
      if (size > 0)
        events.record(deployment, "Normal", SCALED, `Scaled up replica set ${name} from 0 to ${size}`);
      return true;
    } catch (error) {
      if (isNamespaceTerminating(error)) return false;
      if (!isReason(error, "AlreadyExists")) {
        await this.tellNotCreated(deployment, name, error as Error);
        throw error;
      }
    }
    const there = await replicaSets.get(name);
    if (isControlledBy(there, deployment) && hasTemplateOf(deployment, there)) return true;
    // Another template has the same hash: the next name is made with a higher count.
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await this.tell(deployment, { ...deployment.status, collisionCount }, undefined);
    return false;
  }

  private async tellNotCreated(deployment: Deployment, name: string, error: Error): Promise<void> {
    const { events, clock } = this.context;
    const message = `Failed to create new replica set ${JSON.stringify(name)}: ${error.message}`;
    events.record(deployment, "Warning", NOT_CREATED, message);
    if (!hasDeadline(deployment)) return;
    const condition = progressing("False", NOT_CREATED, message, clock.now());
    const conditions = [...withCondition(deployment.status?.conditions ?? [], condition)];
    await this.tell(deployment, { ...deployment.status, conditions }, undefined);
  }

  private async resize(deployment: Deployment, { updates, deletes }: Plan): Promise<void> {
    const { client, events } = this.context;
    const replicaSets = client.resource(ReplicaSet, deployment.metadata.namespace);
    for (const { from, to } of updates) {
      await replicaSets.update(to);
      const [before = 0, after = 0] = [from.spec?.replicas, to.spec?.replicas];
      if (before === after) continue;
      const how = before < after ? "up" : "down";
      const note = `Scaled ${how} replica set ${to.metadata.name} from ${before} to ${after}`;
      events.record(deployment, "Normal", SCALED, note);
    }
    for (const { metadata } of deletes) {
      await replicaSets.delete(metadata.name!, { preconditions: { uid: metadata.uid } }).catch((error) => {
        if (!isReason(error, "NotFound", "Conflict")) throw error;
      });
    }
  }

  /** The annotation goes with the status: its resource leaves only the spec as it is. */
  private async tell(
    deployment: Deployment,
    status: DeploymentStatus,
    revision: string | undefined,
  ): Promise<void> {
    const known = revision === undefined || revision === toldRevision(deployment);
    if (known && sameStatus(deployment.status, status)) return;
    const { metadata } = deployment;
    const annotations = known ? metadata.annotations : { ...metadata.annotations, [REVISION]: revision };
    try {
      await this.context.client
        .resource(Deployment, metadata.namespace)
        .updateStatus({ ...deployment, metadata: { ...metadata, annotations }, status });
    } catch (error) {
      if (!isReason(error, "Conflict", "NotFound")) throw error;
    }
  }
}
