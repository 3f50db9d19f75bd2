/**
 * Gives Services of type LoadBalancer their load balancer, by whatever the cloud has (upstream:
 * k8s.io/cloud-provider/controllers/service). A finalizer goes on before anything is made, so that nothing is left
 * behind when the Service goes or becomes another type.
 */
import { Node } from "../../api/core/node.ts";
import { Service } from "../../api/core/services.ts";
import type { LoadBalancerStatus } from "../../api/schema/core.v1.generated.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import type { LoadBalancers } from "../runtime/cloud-provider.ts";
import { type ControllerContext, defineController, input } from "../runtime/controller.ts";
import { cloudOf } from "./local-provider.ts";
import { toldChange } from "./service-change.ts";

type Inputs = { services: Service; nodes: Node };
type Listers = { readonly [N in keyof Inputs]: Lister<Inputs[N]> };

const FINALIZER = "service.kubernetes.io/load-balancer-cleanup";
/** No Service is named so: keys of Services have a slash. */
const NODES = "nodes";
// Upstream's minRetryDelay and maxRetryDelay.
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

export const serviceLBController = defineController<Inputs>({
  name: "service-lb-controller",
  account: "service-controller",
  eventSource: "service-controller",
  queue: "service",
  inputs: {
    services: input(Service, ({ key, now, was }) => (isConcerned(now) || isConcerned(was) ? [key] : [])),
    nodes: input(Node, ({ now, was }) =>
      now && was && takesTraffic(now) === takesTraffic(was) && hasSameAddresses(now, was) ? [] : [NODES],
    ),
  },
  start(context, listers) {
    const balancers = cloudOf(context.settings).loadBalancers;
    if (!balancers) return async () => undefined;
    context.informers.of(Service).subscribe(({ key, now, was }) => {
      balancers.observe?.(key, now);
      const change = now && was && toldChange(was, now, wantsLoadBalancer);
      if (change) context.events.record(now, "Normal", change.reason, change.note);
    });
    const controller = new ServiceLB(context, listers, balancers);
    return (key) => (key === NODES ? controller.reconcileNodes() : controller.reconcile(key));
  },
});

function isConcerned(service: Service | undefined): boolean {
  return service !== undefined && (wantsLoadBalancer(service) || hasFinalizer(service));
}

/** A class asks for another's load balancer. */
function wantsLoadBalancer({ spec }: Service): boolean {
  return spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined;
}

function hasFinalizer({ metadata }: Service): boolean {
  return metadata.finalizers?.includes(FINALIZER) ?? false;
}

function takesTraffic({ metadata, spec }: Node): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  if (Object.hasOwn(metadata.labels ?? {}, "node.kubernetes.io/exclude-from-external-load-balancers"))
    return false;
  return !spec?.taints?.some(({ key }) => key === "ToBeDeletedByClusterAutoscaler");
}

function hasSameAddresses({ status: now }: Node, { status: was }: Node): boolean {
  return now?.addresses === was?.addresses || deepEqual(now?.addresses ?? [], was?.addresses ?? []);
}

interface Asked {
  spec: Service["spec"];
  annotations: Service["metadata"]["annotations"];
}

class ServiceLB {
  private readonly context: ControllerContext;
  private readonly listers: Listers;
  private readonly balancers: LoadBalancers;
  /** The spec and annotations that each Service has its load balancer for: clouds have options in annotations. */
  private readonly ensured = new Map<string, Asked>();
  private readonly failures = new Map<string, number>();

  constructor(context: ControllerContext, listers: Listers, balancers: LoadBalancers) {
    this.context = context;
    this.listers = listers;
    this.balancers = balancers;
  }

  async reconcile(key: string): Promise<WorkResult> {
    const { namespace, name } = splitKey(key);
    const service = this.listers.services.get(namespace, name);
    if (!service) {
      this.forget(key);
      return undefined;
    }
    try {
      if (wantsLoadBalancer(service) && service.metadata.deletionTimestamp === undefined) {
        await this.ensure(key, service);
      } else if (hasFinalizer(service)) await this.cleanUp(key, service);
      this.failures.delete(key);
      return undefined;
    } catch (error) {
      if (isReason(error, "NotFound", "Conflict")) throw error;
      const why = error instanceof Error ? error.message : String(error);
      this.tell(service, "Warning", "SyncLoadBalancerFailed", `Error syncing load balancer: ${why}`);
      const failed = this.failures.get(key) ?? 0;
      this.failures.set(key, failed + 1);
      return { after: Math.min(FIRST_RETRY_MS * 2 ** failed, LONGEST_RETRY_MS) };
    }
  }

  /** Tells the cloud of the nodes that take traffic now. */
  async reconcileNodes(): Promise<WorkResult> {
    if (!this.balancers.update) return undefined;
    const nodes = this.nodes();
    for (const key of this.ensured.keys()) {
      const { namespace, name } = splitKey(key);
      const service = this.listers.services.get(namespace, name);
      if (!service) continue;
      if (nodes.length === 0) this.tellNoNodes(service);
      const status = await this.balancers.update(service, nodes);
      if (status && !deepEqual(status, service.status?.loadBalancer ?? {}))
        await this.patchStatus(service, status);
      this.tell(service, "Normal", "UpdatedLoadBalancer", "Updated load balancer with new hosts");
    }
    return undefined;
  }

  private async ensure(key: string, service: Service): Promise<void> {
    const known = this.ensured.get(key);
    const complete = hasFinalizer(service) && (service.status?.loadBalancer?.ingress?.length ?? 0) > 0;
    const asked: Asked = { spec: service.spec, annotations: service.metadata.annotations };
    if (complete && known && deepEqual(known, asked)) return;
    // After a restart, what is complete is only asked for again, and told of where it changes.
    const quiet = complete && !known;
    if (!quiet) this.tell(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
    const finalizers = [FINALIZER];
    if (!hasFinalizer(service)) await this.patch(service, { metadata: { finalizers } });
    const nodes = this.nodes();
    if (!quiet && nodes.length === 0) this.tellNoNodes(service);
    const status = await this.balancers.ensure(service, nodes);
    if (!deepEqual(status, service.status?.loadBalancer ?? {})) await this.patchStatus(service, status);
    this.ensured.set(key, asked);
    if (!quiet) this.tell(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
  }

  private async cleanUp(key: string, service: Service): Promise<void> {
    this.tell(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer");
    await this.balancers.remove(service);
    if (service.status?.loadBalancer?.ingress) await this.patchStatus(service, {});
    await this.patch(service, { metadata: { "$deleteFromPrimitiveList/finalizers": [FINALIZER] } });
    this.tell(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
    this.forget(key);
  }

  /** What it had may be what others failed for. */
  private forget(key: string): void {
    this.ensured.delete(key);
    this.failures.delete(key);
    for (const waiting of this.failures.keys()) this.context.again(waiting);
  }

  private nodes(): Node[] {
    return this.listers.nodes.list().filter(takesTraffic);
  }

  private patchStatus(service: Service, { ingress }: LoadBalancerStatus): Promise<Service> {
    return this.patch(service, { status: { loadBalancer: { ingress: ingress ?? null } } });
  }

  private patch(service: Service, change: { metadata?: object; status?: object }): Promise<Service> {
    const { namespace, name = "", uid } = service.metadata;
    const patch = { ...change, metadata: { uid, ...change.metadata } };
    const services = this.context.client.resource(Service, namespace);
    return services.patch(name, patch, { type: "strategic", subresource: "status" });
  }

  private tellNoNodes(service: Service): void {
    const text = "There are no available nodes for LoadBalancer";
    this.tell(service, "Warning", "UnAvailableLoadBalancer", text);
  }

  private tell(service: Service, type: "Normal" | "Warning", reason: string, note: string): void {
    this.context.events.record(service, type, reason, note);
  }
}
