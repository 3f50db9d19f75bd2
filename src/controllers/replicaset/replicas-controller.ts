/**
 * Keeps as many pods as asked for: what ReplicaSet and ReplicationController have in common.
 *
 *   pods seen ──▶ claimed ──▶ too few: made, in growing batches ──┬──▶ status
 *                             too many: the cheapest deleted ─────┘
 */
import { hasPodEnded, isPodActive } from "../../api/core/pod/state.ts";
import { Pod } from "../../api/core/pods.ts";
import type { Resource } from "../../api/resource.ts";
import type { ReplicaSetStatus } from "../../api/schema/apps.v1.generated.ts";
import type { Change } from "../../client/informer/informer.ts";
import { keyOf, type Lister, splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import type { LabelSelector } from "../../machinery/selectors/labels.ts";
import { type Controller, type ControllerContext, defineController, input } from "../runtime/controller.ts";
import { claim } from "../workloads/claim.ts";
import { claimable, isNewOrphan, ownedIndexes, ownerKeys } from "../workloads/owned.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";
import { slowStart } from "../workloads/slow-start.ts";
import { victims } from "./rank-victims.ts";
import {
  concernsReplicas,
  type Failure,
  type Replicated,
  replicasStatus,
  sameStatus,
} from "./replicas-status.ts";

export interface ReplicasKind<T extends Replicated> {
  name: string;
  account: string;
  eventSource?: string;
  queue?: string;
  resource: Resource<T>;
  /** Called once for each version of an object. */
  selectorOf(owner: T): LabelSelector;
  /** Whether the status says how many pods are on their way out. */
  tellsTerminating: boolean;
  /** Owners whose pods serve one purpose, `owner` among them. */
  related(owners: Lister<T>, owner: T): readonly T[];
}

/** Pods made or deleted in one pass. */
const BURST = 500;
/** From so many pods on, those that become ready one by one are counted together, milliseconds later. */
const MANY = 200;
const SOON = 20;
const NONE: readonly string[] = Object.freeze([]);

export function replicasController<T extends Replicated>(kind: ReplicasKind<T>): Controller {
  const { name, account, eventSource, queue, resource } = kind;
  return defineController<{ owners: T; pods: Pod }>({
    name,
    account,
    eventSource,
    queue,
    workers: 5,
    inputs: {
      owners: input<T>(resource, ({ key, now }) => (now ? [key] : []), undefined, ownedIndexes),
      // Which changes are worth a look at once, only their owner tells.
      pods: input(Pod, () => NONE, undefined, ownedIndexes),
    },
    start(context, { owners, pods }) {
      const replicas = new Replicas(kind, context, owners, pods);
      context.informers.of(Pod).subscribe((change) => {
        replicas.see(change);
      });
      return (key) => replicas.reconcile(key);
    },
  });
}

class Replicas<T extends Replicated> {
  private readonly kind: ReplicasKind<T>;
  private readonly context: ControllerContext;
  private readonly owners: Lister<T>;
  private readonly pods: Lister<Pod>;
  private readonly selectors = new WeakMap<T, LabelSelector>();

  constructor(kind: ReplicasKind<T>, context: ControllerContext, owners: Lister<T>, pods: Lister<Pod>) {
    this.kind = kind;
    this.context = context;
    this.owners = owners;
    this.pods = pods;
  }

  see(change: Change<Pod>): void {
    const { now, was } = change;
    if (isNewOrphan(change)) this.offer(now!);
    const keys = ownerKeys(change, this.kind.resource);
    if (keys.length === 0 || !concernsReplicas(now, was)) return;
    for (const key of keys) this.context.again(key, this.delayOf(key, change));
  }

  private delayOf(key: string, { now, was }: Change<Pod>): number {
    if (!now || !was || !isPodActive(now) || !isPodActive(was)) return 0;
    const { namespace, name } = splitKey(key);
    return (this.owners.get(namespace, name)?.status?.replicas ?? 0) > MANY ? SOON : 0;
  }

  /** Whoever selects a pod that nobody controls looks at it. */
  private offer({ metadata }: Pod): void {
    for (const owner of this.owners.list(metadata.namespace)) {
      if (this.selectorOf(owner).matches(metadata.labels)) this.context.again(keyOf(owner));
    }
  }

  async reconcile(key: string): Promise<WorkResult> {
    const { clock, client } = this.context;
    const { namespace, name } = splitKey(key);
    const owner = this.owners.get(namespace, name);
    if (!owner) return undefined;
    const active = await this.claimActive(owner);
    let failure: Failure | undefined;
    let failed: unknown;
    if (owner.metadata.deletionTimestamp === undefined) {
      const surplus = active.length - (owner.spec?.replicas ?? 0);
      try {
        if (surplus < 0) await this.create(owner, Math.min(-surplus, BURST));
        else if (surplus > 0) await this.delete(owner, active, Math.min(surplus, BURST));
      } catch (error) {
        failed = error;
        const message = error instanceof Error ? error.message : String(error);
        failure = { reason: surplus < 0 ? "FailedCreate" : "FailedDelete", message };
      }
    }
    const now = clock.now();
    const terminating = this.kind.tellsTerminating ? this.countTerminating(owner) : undefined;
    const { status, changesAt } = replicasStatus(owner, { active, terminating }, failure, now);
    if (!sameStatus(owner.status, status)) {
      try {
        await client.resource(this.kind.resource, namespace).updateStatus(withStatus(owner, status));
      } catch (error) {
        // Whoever was faster wakes this controller by what it wrote.
        if (!isReason(error, "Conflict", "NotFound")) throw error;
      }
    }
    if (failure) throw failed;
    return changesAt === undefined ? undefined : { after: changesAt - now };
  }

  private selectorOf(owner: T): LabelSelector {
    let selector = this.selectors.get(owner);
    if (!selector) {
      selector = this.kind.selectorOf(owner);
      this.selectors.set(owner, selector);
    }
    return selector;
  }

  private claimActive(owner: T): Promise<Pod[]> {
    const { client } = this.context;
    const candidates = claimable(this.pods, owner).filter(isPodActive);
    return claim<Pod>({ client, resource: Pod, owner, selector: this.selectorOf(owner), candidates });
  }

  private countTerminating(owner: T): number {
    const selector = this.selectorOf(owner);
    let count = 0;
    for (const pod of this.pods.by("controllerUID", owner.metadata.uid!)) {
      const { deletionTimestamp, labels } = pod.metadata;
      if (deletionTimestamp !== undefined && !hasPodEnded(pod) && selector.matches(labels)) count++;
    }
    return count;
  }

  private async create(owner: T, count: number): Promise<void> {
    const { client, events } = this.context;
    const pods = client.resource(Pod, owner.metadata.namespace);
    const template = owner.spec?.template;
    if (!template) return;
    const pod = podFromTemplate(template, owner);
    await slowStart(count, async () => {
      try {
        const { metadata } = await pods.create(pod);
        events.record(owner, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`);
      } catch (error) {
        // Nothing can be made there any more, and nothing needs to be.
        if (isNamespaceTerminating(error)) return;
        events.record(owner, "Warning", "FailedCreate", `Error creating: ${(error as Error).message}`);
        throw error;
      }
    });
  }

  private async delete(owner: T, active: readonly Pod[], count: number): Promise<void> {
    const { client, events, clock } = this.context;
    const pods = client.resource(Pod, owner.metadata.namespace);
    const chosen = victims(active, this.relatedPods(owner), count, clock.now());
    const results = await Promise.allSettled(
      chosen.map(async ({ metadata }) => {
        try {
          await pods.delete(metadata.name!, { preconditions: { uid: metadata.uid } });
          events.record(owner, "Normal", "SuccessfulDelete", `Deleted pod: ${metadata.name}`);
        } catch (error) {
          if (isReason(error, "NotFound", "Conflict")) return;
          events.record(owner, "Warning", "FailedDelete", `Error deleting: ${(error as Error).message}`);
          throw error;
        }
      }),
    );
    const refused = results.find((result) => result.status === "rejected");
    if (refused) throw refused.reason;
  }

  private relatedPods(owner: T): Pod[] {
    return this.kind
      .related(this.owners, owner)
      .flatMap((related) => this.pods.by("controllerUID", related.metadata.uid!))
      .filter(isPodActive);
  }
}

function withStatus<T extends Replicated>(owner: T, status: ReplicaSetStatus): T {
  return { ...owner, status };
}
