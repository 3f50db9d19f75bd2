/**
 * Scales what each HorizontalPodAutoscaler targets, by its metrics, every 15 seconds while there is one.
 *
 *   target's scale ──▶ metrics (ask-metrics.ts) ──▶ kept steady and in range (normalize.ts) ──▶ scale, status
 */
import { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontal-pod-autoscaler.ts";
import { Pod } from "../../api/core/pod/pod.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { defineController, input } from "../runtime/controller.ts";
import { Scales } from "../workloads/scales.ts";
import { AutoscalerMetrics } from "./autoscaler-metrics.ts";
import { Autoscaling } from "./autoscaling.ts";
import { metricsFromAPI } from "./metrics-api.ts";

/** Milliseconds; upstream's default of --horizontal-pod-autoscaler-sync-period. */
const PERIOD = 15_000;

export const horizontalPodAutoscalerController = defineController<{
  autoscalers: HorizontalPodAutoscaler;
  pods: Pod;
}>({
  name: "horizontal-pod-autoscaler-controller",
  account: "horizontal-pod-autoscaler",
  eventSource: "horizontal-pod-autoscaler",
  queue: "horizontalpodautoscaler",
  workers: 5,
  inputs: {
    autoscalers: input(HorizontalPodAutoscaler, ({ key, now, was }) =>
      now && was && semanticEqual(now.spec, was.spec) ? [] : [key],
    ),
    pods: input(Pod, () => []),
  },
  start({ client, events, clock, metrics: figures }, { autoscalers, pods }) {
    const metrics = metricsFromAPI(client);
    const measured = new AutoscalerMetrics(figures);
    const computed = (type: string, current: number) => {
      const began = clock.now();
      return (proposed: number | undefined) =>
        measured.computed(type, current, proposed, clock.now() - began);
    };
    const autoscaling = new Autoscaling({ scales: new Scales(client), metrics, pods, events, computed });
    return async (key) => {
      const { namespace, name } = splitKey(key);
      const autoscaler = autoscalers.get(namespace, name);
      if (!autoscaler) {
        autoscaling.forget(key);
        return undefined;
      }
      const began = clock.now();
      const look = await autoscaling.look(key, autoscaler, began);
      const desired = look.rescaled ? look.desired : undefined;
      measured.reconciled(look.current, desired, look.failed, clock.now() - began);
      const status = look.status();
      if (!semanticEqual(status, autoscaler.status)) {
        try {
          await client.resource(HorizontalPodAutoscaler, namespace).updateStatus({ ...autoscaler, status });
        } catch (error) {
          if (!isReason(error, "NotFound", "Conflict")) throw error;
        }
      }
      return { after: PERIOD };
    };
  },
});
