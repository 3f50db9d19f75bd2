/** How long changes of endpoints took from the pod to the kernel (upstream's SLI). */
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";

const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

export class TriggerTimes {
  private readonly started: number;
  private times: number[] = [];

  /** What happened before `started` says nothing about this proxy. */
  constructor(started: number) {
    this.started = started;
  }

  see({ metadata }: EndpointSlice): void {
    const { annotations } = metadata;
    if (!annotations || !Object.hasOwn(annotations, TRIGGER_TIME)) return;
    const time = Date.parse(annotations[TRIGGER_TIME]!);
    if (time > this.started) this.times.push(time);
  }

  /** The times of what was seen since the last call. */
  take(): number[] {
    const times = this.times;
    this.times = [];
    return times;
  }
}
