/** When what a service's endpoints show began to change: whoever programs them can tell how long it took. */
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { readyChangedAt } from "./published-pod.ts";

export const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

interface Seen {
  service: number;
  pods: Map<string, number>;
}

export class TriggerTimes {
  private readonly seen = new Map<string, Seen>();

  /** The earliest change since the last look that the objects tell of; undefined where they tell of none. */
  look(key: string, service: Service, pods: readonly Pod[]): string | undefined {
    const before = this.seen.get(key);
    const created = Date.parse(service.metadata.creationTimestamp ?? "");
    let first = created > (before?.service ?? Number.NEGATIVE_INFINITY) ? created : undefined;
    const times = new Map<string, number>();
    for (const pod of pods) {
      const time = readyChangedAt(pod);
      if (time === undefined) continue;
      const { name = "" } = pod.metadata;
      times.set(name, time);
      if (time > (before?.pods.get(name) ?? Number.NEGATIVE_INFINITY)) first = Math.min(first ?? time, time);
    }
    this.seen.set(key, { service: created, pods: times });
    return first === undefined ? undefined : formatTime(first);
  }

  forget(key: string): void {
    this.seen.delete(key);
  }
}
