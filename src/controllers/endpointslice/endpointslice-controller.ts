/** Keeps the EndpointSlices of every service that has a selector (upstream: pkg/controller/endpointslice). */
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pods.ts";
import { Service } from "../../api/core/services.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { Change } from "../../client/informer/informer.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { familiesOf, isHeadless } from "../services/published-pod.ts";
import { ServicePods } from "../services/service-pods.ts";
import { packSlices, type SlicePlan } from "../services/slices/pack-slices.ts";
import { MANAGED_BY, SERVICE_NAME, SliceTracker, serviceIndex } from "../services/slices/slice-tracker.ts";
import { writeSlices } from "../services/slices/write-slices.ts";
import { TriggerTimes } from "../services/trigger-times.ts";
import { nodeName } from "../workloads/indexes.ts";
import { Pace } from "../workloads/pace.ts";
import { makeEndpoints, ZONE } from "./make-endpoints.ts";
import { withHints } from "./traffic-distribution.ts";

const MANAGER = "endpointslice-controller.k8s.io";
const HEADLESS = "service.kubernetes.io/headless";
/** Upstream's --max-endpoints-per-slice. */
const MOST = 100;

type Inputs = { services: Service; pods: Pod; nodes: Node; slices: EndpointSlice };

class EndpointSliceController {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly servicePods: ServicePods;
  private readonly triggers = new TriggerTimes();
  private readonly pace = new Pace();
  private readonly tracker = new SliceTracker(MANAGER);

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    const { informers } = context;
    this.servicePods = ServicePods.of(informers);
    this.servicePods.subscribe((key) => context.again(key));
    informers.of(Node).subscribe((change) => this.nodeChanged(change));
    informers.of(EndpointSlice).subscribe((change) => {
      for (const key of this.tracker.keys(change)) context.again(key);
    });
  }

  /** Endpoints show the zone of their node, and are none without it. */
  private nodeChanged({ now, was }: Change<Node>): void {
    if (now && was && now.metadata.labels?.[ZONE] === was.metadata.labels?.[ZONE]) return;
    for (const pod of this.listers.pods.by("nodeName", (now ?? was)!.metadata.name ?? "")) {
      for (const key of this.servicePods.servicesOf(pod)) this.context.again(key);
    }
  }

  async reconcile(key: string): Promise<WorkResult> {
    const { namespace, name } = splitKey(key);
    const service = this.listers.services.get(namespace, name);
    if (!service) {
      // Its slices follow it: they are its own.
      this.triggers.forget(key);
      this.pace.forget(key);
      return undefined;
    }
    if (!service.spec?.selector) return undefined;
    const now = this.context.clock.now();
    const version = service.metadata.resourceVersion ?? "";
    const wait = this.pace.wait(key, version, now);
    if (wait !== undefined) return { after: wait };
    const existing = this.listers.slices
      .by("serviceName", key)
      .filter((slice) => this.tracker.isManaged(slice) && slice.metadata.deletionTimestamp === undefined);
    const pods = this.servicePods.podsOf(service);
    this.pace.looked(key, version, pods.length, now);
    const trigger = this.triggers.look(key, service, pods);
    const labels = labelsOf(service);
    const plan = this.plan(service, pods, existing, labels);
    const { client, events } = this.context;
    try {
      const wrote = (slice: EndpointSlice): void => this.tracker.wrote(slice);
      await writeSlices({ client, owner: service, plan, labels, trigger, wrote });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const note = `Error updating Endpoint Slices for Service ${key}: ${text}`;
      if (!isReason(error, "Conflict"))
        events.record(service, "Warning", "FailedToUpdateEndpointSlices", note);
      throw error;
    }
    return undefined;
  }

  private plan(
    service: Service,
    pods: readonly Pod[],
    existing: readonly EndpointSlice[],
    labels: Readonly<Record<string, string>>,
  ): SlicePlan {
    const all: SlicePlan = { create: [], update: [], remove: [] };
    const families = familiesOf(service);
    for (const family of families) {
      const groups = makeEndpoints(service, pods, family, (node) => this.listers.nodes.get("", node)).map(
        ({ ports, endpoints }) => ({
          ports,
          endpoints: withHints(endpoints, service.spec?.trafficDistribution),
        }),
      );
      const wanted = { addressType: family, groups, labels, most: MOST, placeholder: true };
      const ofFamily = existing.filter(({ addressType }) => addressType === family);
      const { create, update, remove } = packSlices(ofFamily, wanted);
      all.create.push(...create);
      all.update.push(...update);
      all.remove.push(...remove);
    }
    const served = new Set<string>(families);
    all.remove.push(...existing.filter(({ addressType }) => !served.has(addressType)));
    return all;
  }
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [SERVICE_NAME]: service.metadata.name ?? "",
    [MANAGED_BY]: MANAGER,
    ...(isHeadless(service) && { [HEADLESS]: "" }),
  };
}

export const endpointSliceController = defineController<Inputs>({
  name: "endpointslice-controller",
  account: "endpointslice-controller",
  workers: 5,
  inputs: {
    services: input(Service, ({ key }) => [key]),
    // Which services a pod or a node concerns is found by what those select.
    pods: input(Pod, () => [], undefined, { nodeName }),
    nodes: input(Node, () => []),
    slices: input(EndpointSlice, () => [], undefined, serviceIndex),
  },
  start(context, listers) {
    const controller = new EndpointSliceController(context, listers);
    return (key) => controller.reconcile(key);
  },
});
