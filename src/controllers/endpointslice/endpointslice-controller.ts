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
import { familiesOf, isHeadless, isSelecting } from "../services/published-pod.ts";
import { ServicePods } from "../services/service-pods.ts";
import { type PortGroup, packSlices, type SlicePlan } from "../services/slices/pack-slices.ts";
import { MANAGED_BY, SERVICE_NAME, SliceTracker, serviceIndex } from "../services/slices/slice-tracker.ts";
import { writeSlices } from "../services/slices/write-slices.ts";
import { TriggerTimes } from "../services/trigger-times.ts";
import { nodeName } from "../workloads/indexes.ts";
import { Pace } from "../workloads/pace.ts";
import { makeEndpoints, ZONE } from "./make-endpoints.ts";
import { countMissing, type ServiceSlices, SliceMetrics } from "./slice-metrics.ts";
import { asksForHints, hintZones } from "./topology-hints.ts";
import { withHints } from "./traffic-distribution.ts";
import { contributionOf, type ZoneParts, zoneParts } from "./zone-capacity.ts";

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
  /** What was told last of a service's hints, by service and family. */
  private readonly told = new Map<string, string>();
  private parts: ZoneParts | undefined;
  private readonly metrics: SliceMetrics;

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    this.metrics = new SliceMetrics(context.metrics);
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
    const [after, before] = [now && contributionOf(now), was && contributionOf(was)];
    if (after?.zone !== before?.zone || after?.cpu !== before?.cpu) {
      this.parts = undefined;
      for (const { metadata } of this.listers.services.by("topologyMode", "Auto")) {
        this.context.again(`${metadata.namespace}/${metadata.name}`);
      }
    }
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
      this.metrics.forget(key);
      for (const family of ["IPv4", "IPv6"]) this.told.delete(`${key}/${family}`);
      return undefined;
    }
    if (!isSelecting(service)) return undefined;
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
    const { plan, desired } = this.plan(service, pods, existing, labels);
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
    const written = [...plan.create, ...plan.update.map(({ content }) => content)];
    const replaced = [...plan.remove, ...plan.update.map(({ slice }) => slice)];
    const slices = existing.length + plan.create.length - plan.remove.length;
    const { trafficDistribution } = service.spec;
    const added = countMissing(written, replaced);
    this.metrics.synced(
      key,
      { slices, ...desired, trafficDistribution },
      added,
      countMissing(replaced, written),
    );
    return undefined;
  }

  private plan(
    service: Service,
    pods: readonly Pod[],
    existing: readonly EndpointSlice[],
    labels: Readonly<Record<string, string>>,
  ): { plan: SlicePlan; desired: Pick<ServiceSlices, "desiredSlices" | "endpoints"> } {
    const all: SlicePlan = { create: [], update: [], remove: [] };
    const desired = { desiredSlices: 0, endpoints: 0 };
    const families = familiesOf(service);
    for (const family of families) {
      const groups = this.hinted(
        service,
        family,
        makeEndpoints(service, pods, family, (node) => this.listers.nodes.get("", node)),
      );
      for (const { endpoints } of groups) {
        desired.endpoints += endpoints.length;
        desired.desiredSlices += Math.ceil(endpoints.length / MOST);
      }
      if (groups.length === 0) desired.desiredSlices++;
      const wanted = { addressType: family, groups, labels, most: MOST, placeholder: true };
      const ofFamily = existing.filter(({ addressType }) => addressType === family);
      const { create, update, remove } = packSlices(ofFamily, wanted);
      all.create.push(...create);
      all.update.push(...update);
      all.remove.push(...remove);
    }
    const served = new Set<string>(families);
    all.remove.push(...existing.filter(({ addressType }) => !served.has(addressType)));
    return { plan: all, desired };
  }

  private hinted(service: Service, family: string, groups: readonly PortGroup[]): PortGroup[] {
    if (!asksForHints(service)) {
      const distribution = service.spec?.trafficDistribution;
      return groups.map(({ ports, endpoints }) => ({ ports, endpoints: withHints(endpoints, distribution) }));
    }
    this.parts ??= zoneParts(this.listers.nodes.list());
    const all = groups.flatMap(({ endpoints }) => endpoints);
    const found = hintZones(all, this.parts);
    const enabled = "zones" in found;
    this.tell(service, family, enabled ? undefined : found.disabled);
    if (!enabled) return [...groups];
    return groups.map(({ ports, endpoints }) => ({
      ports,
      endpoints: endpoints.map((endpoint) => {
        const name = found.zones.get(endpoint);
        return name === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name }] } };
      }),
    }));
  }

  /** Once for each change. */
  private tell(service: Service, family: string, disabled: string | undefined): void {
    const { namespace, name } = service.metadata;
    const text = `${disabled ?? "Topology Aware Hints has been enabled"}, addressType: ${family}`;
    const key = `${namespace}/${name}/${family}`;
    if (this.told.get(key) === text) return;
    this.told.set(key, text);
    const { events } = this.context;
    if (disabled === undefined) events.record(service, "Normal", "TopologyAwareHintsEnabled", text);
    else events.record(service, "Warning", "TopologyAwareHintsDisabled", text);
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
  eventSource: "endpoint-slice-controller",
  queue: "endpoint_slice",
  workers: 5,
  inputs: {
    services: input(Service, ({ key }) => [key], undefined, {
      topologyMode: (service) => (asksForHints(service) ? ["Auto"] : []),
    }),
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
