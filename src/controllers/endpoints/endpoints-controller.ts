/** Keeps the Endpoints of every service that has a selector (upstream: pkg/controller/endpoint). */
import { Endpoints } from "../../api/core/endpoints.ts";
import { Pod } from "../../api/core/pods.ts";
import { Service } from "../../api/core/services.ts";
import type { ObjectMeta } from "../../api/object.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { isHeadless, isSelecting } from "../services/published-pod.ts";
import { sameLabels } from "../services/selectors.ts";
import { ServicePods } from "../services/service-pods.ts";
import { TRIGGER_TIME, TriggerTimes } from "../services/trigger-times.ts";
import { Pace } from "../workloads/pace.ts";
import { makeSubsets } from "./make-subsets.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";
const HEADLESS = "service.kubernetes.io/headless";
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

type Inputs = { services: Service; pods: Pod; endpoints: Endpoints };

function isManaged({ metadata }: Endpoints): boolean {
  return metadata.labels?.[MANAGED_BY] === MANAGER;
}

class EndpointsController {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly servicePods: ServicePods;
  private readonly triggers = new TriggerTimes();
  private readonly pace = new Pace();

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    this.servicePods = ServicePods.of(context.informers);
    this.servicePods.subscribe((key) => context.again(key));
  }

  async reconcile(key: string): Promise<WorkResult> {
    const { namespace, name } = splitKey(key);
    const service = this.listers.services.get(namespace, name);
    const current = this.listers.endpoints.get(namespace, name);
    if (!service) {
      this.triggers.forget(key);
      this.pace.forget(key);
      if (current && isManaged(current)) await this.delete(current);
      return undefined;
    }
    // What has no selector is its user's to write.
    if (!isSelecting(service)) return undefined;
    const now = this.context.clock.now();
    const version = `${service.metadata.resourceVersion} ${current?.metadata.uid}`;
    const wait = this.pace.wait(key, version, now);
    if (wait !== undefined) return { after: wait };
    const pods = this.servicePods.podsOf(service);
    this.pace.looked(key, version, pods.length, now);
    const trigger = this.triggers.look(key, service, pods);
    const { subsets, cut } = makeSubsets(service, pods);
    const labels = labelsOf(service);
    const wasCut = current?.metadata.annotations?.[OVER_CAPACITY] === "truncated";
    if (
      current &&
      cut === wasCut &&
      semanticEqual(current.subsets, subsets) &&
      sameLabels(current.metadata.labels, labels)
    ) {
      return undefined;
    }
    const annotations = annotationsOf(current?.metadata, trigger, cut);
    await this.write(service, current, { labels, annotations }, subsets.length > 0 ? subsets : undefined);
    return undefined;
  }

  private async write(
    service: Service,
    current: Endpoints | undefined,
    { labels, annotations }: Pick<ObjectMeta, "labels" | "annotations">,
    subsets: Endpoints["subsets"],
  ): Promise<void> {
    const { namespace, name } = service.metadata;
    const endpoints = this.context.client.resource(Endpoints, namespace);
    try {
      if (current)
        await endpoints.update({
          ...current,
          metadata: { ...current.metadata, labels, annotations },
          subsets,
        });
      else await endpoints.create({ metadata: { namespace, name, labels, annotations }, subsets });
    } catch (error) {
      // The services of a namespace that goes will follow.
      if (isNamespaceTerminating(error)) return;
      const [reason, verb] = current
        ? ["FailedToUpdateEndpoint", "update"]
        : ["FailedToCreateEndpoint", "create"];
      const text = error instanceof Error ? error.message : String(error);
      const note = `Failed to ${verb} endpoint ${namespace}/${name}: ${text}`;
      if (!isReason(error, "Conflict", "AlreadyExists")) {
        this.context.events.record(current ?? service, "Warning", reason, note);
      }
      throw error;
    }
  }

  private async delete({ metadata }: Endpoints): Promise<void> {
    const { namespace, name = "", uid } = metadata;
    try {
      await this.context.client.resource(Endpoints, namespace).delete(name, { preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return { ...labels, ...(isHeadless(service) && { [HEADLESS]: "" }), [MANAGED_BY]: MANAGER };
}

function annotationsOf(
  metadata: ObjectMeta | undefined,
  trigger: string | undefined,
  cut: boolean,
): Record<string, string> {
  const { [TRIGGER_TIME]: _, [OVER_CAPACITY]: __, ...annotations } = metadata?.annotations ?? {};
  return {
    ...annotations,
    ...(trigger !== undefined && { [TRIGGER_TIME]: trigger }),
    ...(cut && { [OVER_CAPACITY]: "truncated" }),
  };
}

export const endpointsController = defineController<Inputs>({
  name: "endpoints-controller",
  account: "endpoint-controller",
  eventSource: "endpoint-controller",
  queue: "endpoint",
  workers: 5,
  inputs: {
    services: input(Service, ({ key }) => [key]),
    // The services of a pod are found by what they select.
    pods: input(Pod, () => []),
    // Those that are deleted are made again, those of services that are gone are deleted.
    endpoints: input(Endpoints, ({ key, now, was }) =>
      now === undefined || (!was && isManaged(now)) ? [key] : [],
    ),
  },
  start(context, listers) {
    const controller = new EndpointsController(context, listers);
    return (key) => controller.reconcile(key);
  },
});
