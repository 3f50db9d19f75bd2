/**
 * Gives services without a selector slices of the Endpoints that their users write (upstream:
 * pkg/controller/endpointslicemirroring).
 */
import { Endpoints } from "../../api/core/endpoints.ts";
import { Service } from "../../api/core/services.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { packSlices, type SlicePlan } from "../services/slices/pack-slices.ts";
import { MANAGED_BY, SERVICE_NAME, SliceTracker, serviceIndex } from "../services/slices/slice-tracker.ts";
import { writeSlices } from "../services/slices/write-slices.ts";
import { TRIGGER_TIME } from "../services/trigger-times.ts";
import { MOST_ADDRESSES, mirrorSubsets } from "./mirror-subsets.ts";

const MANAGER = "endpointslicemirroring-controller.k8s.io";
const SKIP = "endpointslice.kubernetes.io/skip-mirror";
const LEADER = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

type Inputs = { endpoints: Endpoints; services: Service; slices: EndpointSlice };

class EndpointSliceMirroringController {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly tracker = new SliceTracker(MANAGER);

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    context.informers.of(EndpointSlice).subscribe((change) => {
      for (const key of this.tracker.keys(change)) context.again(key);
    });
  }

  async reconcile(key: string): Promise<undefined> {
    const { namespace, name } = splitKey(key);
    const { endpoints, services, slices } = this.listers;
    const source = endpoints.get(namespace, name);
    const service = services.get(namespace, name);
    const existing = slices
      .by("serviceName", key)
      .filter((slice) => this.tracker.isManaged(slice) && slice.metadata.deletionTimestamp === undefined);
    if (!source || !service || service.spec?.selector || !isMirrored(source)) {
      if (existing.length === 0) return;
      const plan = { create: [], update: [], remove: existing };
      const wrote = (): void => {};
      const owner = source ?? service ?? existing[0]!;
      await writeSlices({ client: this.context.client, owner, plan, labels: {}, trigger: undefined, wrote });
      return;
    }
    await this.mirror(source, existing);
  }

  private async mirror(source: Endpoints, existing: readonly EndpointSlice[]): Promise<void> {
    const { groups, tooMany, invalid } = mirrorSubsets(source);
    const { client, events } = this.context;
    if (invalid > 0) {
      const note = `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`;
      events.record(source, "Warning", "InvalidAddress", note);
    }
    if (tooMany > 0) {
      const note = `A max of ${MOST_ADDRESSES} addresses can be mirrored to EndpointSlices per Endpoints subset. ${tooMany} addresses were skipped`;
      events.record(source, "Warning", "TooManyAddressesToMirror", note);
    }
    const { [TRIGGER_TIME]: trigger, [LAST_APPLIED]: _, ...annotations } = source.metadata.annotations ?? {};
    const labels = {
      ...source.metadata.labels,
      [SERVICE_NAME]: source.metadata.name ?? "",
      [MANAGED_BY]: MANAGER,
    };
    const plan: SlicePlan = { create: [], update: [], remove: [] };
    for (const family of ["IPv4", "IPv6"] as const) {
      const ofFamily = existing.filter(({ addressType }) => addressType === family);
      const look = { addressType: family, labels, annotations, most: MOST_ADDRESSES, placeholder: false };
      const { create, update, remove } = packSlices(ofFamily, { ...look, groups: groups[family] });
      plan.create.push(...create);
      plan.update.push(...update);
      plan.remove.push(...remove);
    }
    const wrote = (slice: EndpointSlice): void => this.tracker.wrote(slice);
    try {
      await writeSlices({ client, owner: source, plan, labels, annotations, trigger, wrote });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const note = `Error updating mirrored EndpointSlices for Endpoints ${source.metadata.namespace}/${source.metadata.name}: ${text}`;
      if (!isReason(error, "Conflict"))
        events.record(source, "Warning", "FailedToUpdateEndpointSlices", note);
      throw error;
    }
  }
}

function isMirrored({ metadata }: Endpoints): boolean {
  if (metadata.labels?.[SKIP] === "true") return false;
  return metadata.annotations?.[LEADER] === undefined;
}

export const endpointSliceMirroringController = defineController<Inputs>({
  name: "endpointslice-mirroring-controller",
  account: "endpointslicemirroring-controller",
  eventSource: "endpoint-slice-mirroring-controller",
  queue: "endpoint_slice_mirroring",
  workers: 5,
  inputs: {
    endpoints: input(Endpoints, ({ key }) => [key]),
    // Only whether it has a selector counts.
    services: input(Service, ({ key, now, was }) =>
      now && was && !now.spec?.selector === !was.spec?.selector ? [] : [key],
    ),
    slices: input(EndpointSlice, () => [], undefined, serviceIndex),
  },
  start(context, listers) {
    const controller = new EndpointSliceMirroringController(context, listers);
    return (key) => controller.reconcile(key);
  },
});
