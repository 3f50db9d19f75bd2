/** Tells the API what becomes of one pod. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodProbes } from "../probes/pod-probes.ts";
import { podStatus } from "../status/pod-status.ts";
import type { PodEnding } from "./pod-ending.ts";
import type { PodPlan } from "./pod-plan.ts";
import type { PodResizer } from "./pod-resizer.ts";
import type { PodTask } from "./pod-task.ts";

export interface PodTellerOptions {
  task: PodTask;
  probes: PodProbes;
  resizer: PodResizer;
  ending: PodEnding;
}

export interface Doings {
  /** Undefined where the pod is to end. */
  plan: PodPlan | undefined;
  isStarting: boolean;
  isOver: boolean;
}

/** Milliseconds that the status of a pod whose containers are being started may wait for them. */
const SOON = 200;

export class PodTeller {
  readonly #options: PodTellerOptions;
  readonly #seenAt: number;

  constructor(options: PodTellerOptions) {
    this.#options = options;
    this.#seenAt = options.task.context.clock.now();
  }

  tell({ plan, isStarting, isOver }: Doings): void {
    const { task, probes, resizer, ending } = this.#options;
    const { context, pod, view } = task;
    const apiPod = context.apiPod(pod);
    const waiting = new Map(task.waiting);
    for (const [name, why] of plan?.waiting ?? []) waiting.set(name, why);
    for (const { name, state } of view.state.containers) if (state === "running") waiting.delete(name);
    task.status = podStatus(this.#told(apiPod), {
      runtime: view.shown,
      waiting,
      hasStarted: (id) => probes.hasStarted(id),
      isReady: (id) => probes.isReady(id),
      messageOf: (record) => view.messageOf(record),
      isOver,
      mounted: task.mounted,
      restartingAll: task.restartingAll,
      isRejected: ending.isRejected,
      ...(ending.why ? { ending: ending.why } : {}),
      actualOf: (id) => resizer.actualOf(id),
      actualPod: resizer.actualPod,
      conditions: [...resizer.conditions, ...ending.conditions],
      hostIPs: context.hostIPs(),
      runtimeName: context.runtimeName,
      seenAt: this.#seenAt,
      now: context.clock.now(),
    });
    if (!apiPod) return;
    // Most containers run a moment after their sandbox: one write tells of both.
    const runsSoon = isStarting && !ending.isOn && waiting.size === 0 && task.ips !== undefined;
    context.writer.set(apiPod, task.status, runsSoon ? SOON : 0);
  }

  /** With what it was granted, and what was told of it last. */
  #told(apiPod: Pod | undefined): Pod {
    const { task, resizer } = this.#options;
    const latest = apiPod ? task.context.writer.latest(apiPod) : undefined;
    return { ...resizer.granted(task.pod), status: latest?.status ?? task.status };
  }
}
