/** Runs pods until enough of them have succeeded, or too many have failed (upstream: pkg/controller/job). */
import { Job } from "../../api/batch/job.ts";
import { JOB_NAME } from "../../api/batch/job-defaults.ts";
import { Pod } from "../../api/core/pods.ts";
import type { JobStatus } from "../../api/schema/batch.v1.generated.ts";
import type { Change } from "../../client/informer/informer.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { controllerOf, type OwnerReference } from "../../machinery/meta/owner.ts";
import { labelSelectorOf } from "../../machinery/selectors/labels.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { claim } from "../workloads/claim.ts";
import { claimable, ownedIndexes, ownerKeys } from "../workloads/owned.ts";
import { Pace } from "../workloads/pace.ts";
import { slowStart } from "../workloads/slow-start.ts";
import type { Backoff } from "./backoff.ts";
import { isFinished } from "./conditions.ts";
import { deadlineIn, endingOf } from "./ending.ts";
import { JobMetrics, type SyncAction } from "./job-metrics.ts";
import { isTracked, TRACKING } from "./job-pods.ts";
import { type JobView, lookAt } from "./job-view.ts";
import { podMaker } from "./make-pod.ts";
import { type PodPlan, planPods } from "./plan-pods.ts";
import { type Done, planStatus } from "./plan-status.ts";

const NAME = "job-controller";
/** What managedBy says of the jobs that are this controller's. */
const MANAGER = "kubernetes.io/job-controller";

type Inputs = { jobs: Job; pods: Pod };

function jobOwner(pod: Pod): OwnerReference | undefined {
  const owner = controllerOf(pod);
  return owner?.kind === "Job" && owner.apiVersion.startsWith("batch/") ? owner : undefined;
}

/** `namespace/name` is a job, `gone:uid` one that was deleted, `pod:namespace/name` a pod that may have no job. */
function keysOfJob({ key, now, was }: Change<Job>): string[] {
  if (!now) return [`gone:${was?.metadata.uid}`];
  return was && was.metadata.uid !== now.metadata.uid ? [key, `gone:${was.metadata.uid}`] : [key];
}

function keysOfPod(change: Change<Pod>): readonly string[] {
  const keys = ownerKeys(change, Job);
  const { key, now } = change;
  if (!now) return keys;
  const leaves = now.metadata.deletionTimestamp !== undefined && isTracked(now) && jobOwner(now);
  return leaves || !controllerOf(now) ? [...keys, `pod:${key}`] : keys;
}

class JobController {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  /** By uid. All of it may be forgotten: then it is told from the pods that are left. */
  private readonly backoffs = new Map<string, Backoff>();
  private readonly pace = new Pace();
  private readonly metrics: JobMetrics;

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    this.metrics = new JobMetrics(context.metrics);
    context.informers.of(Pod).subscribe(({ now, was }) => this.metrics.sawPod(now, was));
  }

  async reconcile(key: string): Promise<WorkResult> {
    if (key.startsWith("gone:")) return this.letGo(key.slice("gone:".length));
    const isPod = key.startsWith("pod:");
    const [namespace = "", name = ""] = (isPod ? key.slice("pod:".length) : key).split("/");
    if (isPod) return this.reconcileOrphan(namespace, name);
    const job = this.listers.jobs.get(namespace, name);
    if (!job?.spec || isOthers(job)) return undefined;
    if (isFinished(job)) return this.letGo(job.metadata.uid ?? "");
    return this.reconcileJob(job);
  }

  private async reconcileJob(job: Job): Promise<WorkResult> {
    const { clock } = this.context;
    const { uid = "", generation } = job.metadata;
    const now = clock.now();
    const wait = this.pace.wait(uid, `${generation}`, now);
    if (wait !== undefined) return { after: wait };
    let action: SyncAction = "reconciling";
    let result: "success" | "error" = "error";
    try {
      const outcome = await this.syncJob(job, now, (did) => {
        action = did;
      });
      result = "success";
      return outcome;
    } finally {
      this.metrics.synced(job, action, result, clock.now() - now);
    }
  }

  /** Tells `did` what it did as soon as that is done. */
  private async syncJob(job: Job, now: number, did: (action: SyncAction) => void): Promise<WorkResult> {
    const { clock, client, events } = this.context;
    const { uid = "", namespace = "", generation } = job.metadata;
    const pods = await this.podsOf(job);
    const view = lookAt(job, pods, this.backoffs.get(uid));
    const ending = endingOf(view, now);
    const plan = planPods(view, ending !== undefined, now);
    const { done, failure } = await this.carryOut(view, plan);
    if (done.created > 0) did("pods_created");
    else if (done.removed.length > 0) did("pods_deleted");
    else if (!ending) did("tracking");
    const managed = !ending && job.metadata.deletionTimestamp === undefined;
    const { status, release, actions, event } = planStatus(view, ending, done, now, managed);
    if (!deepEqual(status, job.status)) {
      await client.resource(Job, namespace).updateStatus({ ...job, status });
      this.metrics.wrote(job, status);
    }
    this.metrics.judged(actions);
    if (event) events.record(job, event.type, event.reason, event.message);
    this.backoffs.set(uid, view.backoff);
    this.pace.looked(uid, `${generation}`, pods.length, now);
    await Promise.all(release.map((pod) => this.release(pod)));
    if (failure) throw failure;
    const after = soonest(plan.after, deadlineOf(job, status, now));
    return after === undefined ? undefined : { after: Math.max(1, now + after - clock.now()) };
  }

  private podsOf(job: Job): Promise<Pod[]> {
    return claim({
      client: this.context.client,
      resource: Pod,
      owner: job,
      selector: labelSelectorOf(job.spec?.selector),
      candidates: claimable(this.listers.pods, job),
      finalizer: TRACKING,
    });
  }

  private async carryOut(
    view: JobView,
    { remove, uncounted, create, indexes }: PodPlan,
  ): Promise<{ done: Done; failure?: unknown }> {
    const { job } = view;
    const { events, client } = this.context;
    const pods = client.resource(Pod, job.metadata.namespace);
    let failure: unknown;
    const removals = await Promise.allSettled(remove.map((pod) => this.remove(job, pod, uncounted)));
    const removed = remove.filter((_, i) => removals[i]?.status === "fulfilled");
    for (const removal of removals) if (removal.status === "rejected") failure ??= removal.reason;
    if (create === 0) return { done: { created: 0, removed }, failure };
    const make = podMaker(job);
    const created = await slowStart(
      create,
      async (i) => {
        const index = indexes?.[i];
        const replaced = index === undefined ? undefined : view.replaced.get(index);
        const { metadata } = await pods.create(make(index, replaced));
        events.record(job, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`);
      },
      (error) => {
        // In a namespace that goes, nothing is made any more, and nothing needs to be.
        if (isNamespaceTerminating(error)) return;
        failure ??= error;
        events.record(job, "Warning", "FailedCreate", `Error creating: ${textOf(error)}`);
      },
    );
    return { done: { created, removed }, failure };
  }

  private async remove(job: Job, pod: Pod, uncounted: boolean): Promise<void> {
    const { events, client } = this.context;
    const { namespace, name = "", uid } = pod.metadata;
    if (uncounted) await this.release(pod);
    try {
      await client.resource(Pod, namespace).delete(name, { preconditions: { uid } });
      events.record(job, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    } catch (error) {
      if (isReason(error, "NotFound", "Conflict")) return;
      events.record(job, "Warning", "FailedDelete", `Error deleting: ${textOf(error)}`);
      throw error;
    }
  }

  /** Takes the finalizer off, so that the pod may go. */
  private async release(pod: Pod): Promise<void> {
    if (!isTracked(pod)) return;
    const { namespace, name = "", uid } = pod.metadata;
    const patch = { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [TRACKING] } };
    try {
      await this.context.client.resource(Pod, namespace).patch(name, patch, { type: "strategic" });
    } catch (error) {
      // It is gone, or the name is another's by now.
      if (!isReason(error, "NotFound", "Conflict", "Invalid")) throw error;
    }
  }

  /** Nobody counts the pods of a job that has finished or is gone. */
  private async letGo(uid: string): Promise<undefined> {
    this.backoffs.delete(uid);
    this.pace.forget(uid);
    const left = this.listers.pods.by("controllerUID", uid).filter(isTracked);
    await Promise.all(left.map((pod) => this.release(pod)));
  }

  private async reconcileOrphan(namespace: string, name: string): Promise<undefined> {
    const { jobs, pods } = this.listers;
    const pod = pods.get(namespace, name);
    if (!pod) return;
    const owner = controllerOf(pod);
    if (owner) {
      const job = jobs.get(namespace, owner.name);
      const counts = job && job.metadata.uid === owner.uid && (isOthers(job) || !isFinished(job));
      if (jobOwner(pod) && !counts) await this.release(pod);
      return;
    }
    const labels = pod.metadata.labels ?? {};
    const named = Object.hasOwn(labels, JOB_NAME) ? jobs.get(namespace, labels[JOB_NAME]!) : undefined;
    const candidates = new Set([...(named ? [named] : []), ...jobs.by("manualSelector", namespace)]);
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    let adopted = false;
    for (const job of candidates) {
      if (leaving || isOthers(job) || isFinished(job) || job.metadata.deletionTimestamp) continue;
      if (!labelSelectorOf(job.spec?.selector).matches(labels)) continue;
      this.context.again(`${namespace}/${job.metadata.name}`);
      adopted = true;
    }
    if (!adopted) await this.release(pod);
  }
}

function isOthers({ spec }: Job): boolean {
  return spec?.managedBy !== undefined && spec.managedBy !== MANAGER;
}

function deadlineOf(job: Job, status: JobStatus, now: number): number | undefined {
  const current = { ...job, status };
  return isFinished(current) ? undefined : deadlineIn(current, now);
}

function soonest(...times: (number | undefined)[]): number | undefined {
  const due = times.filter((time) => time !== undefined);
  return due.length === 0 ? undefined : Math.min(...due);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const jobController = defineController<Inputs>({
  name: NAME,
  account: NAME,
  workers: 5,
  inputs: {
    jobs: input(Job, keysOfJob, undefined, {
      manualSelector: ({ metadata, spec }) => (spec?.manualSelector ? [metadata.namespace ?? ""] : []),
    }),
    pods: input(Pod, keysOfPod, undefined, ownedIndexes),
  },
  start(context, listers) {
    const controller = new JobController(context, listers);
    return (key) => controller.reconcile(key);
  },
});
