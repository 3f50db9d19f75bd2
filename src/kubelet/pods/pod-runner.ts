/**
 * Has one pod run: each look of its worker makes a plan of what it wants and what is there, and begins what differs.
 * What takes long wakes the worker when it is done.
 */
import type { PodProbes } from "../probes/pod-probes.ts";
import { BackoffEvents } from "./backoff-events.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import { ownGrace } from "./pod-ending.ts";
import { type PodPlan, planPod } from "./pod-plan.ts";
import type { PodResizer } from "./pod-resizer.ts";
import { PodStarter } from "./pod-starter.ts";
import type { PodTask } from "./pod-task.ts";
import { removeRemains, superfluous } from "./remove-remains.ts";

export interface PodRunnerOptions {
  task: PodTask;
  probes: PodProbes;
  resizer: PodResizer;
}

export class PodRunner {
  readonly #options: PodRunnerOptions;
  readonly #starter: PodStarter;
  readonly #backoff = new CrashBackoff();
  readonly #backoffEvents = new BackoffEvents();
  #cleaning = false;

  constructor(options: PodRunnerOptions) {
    this.#options = options;
    this.#starter = new PodStarter(options.task, this.#backoff);
  }

  get isStarting(): boolean {
    return this.#starter.isStarting;
  }

  /** Resolves when nothing is being started; what has begun is not waited for longer than it must. */
  abort(): Promise<void> {
    return this.#starter.abort();
  }

  /** What it does, or that the pod is done. */
  advance(): PodPlan {
    const { task, probes, resizer } = this.#options;
    const { pod, view, stops, context } = task;
    const now = context.clock.now();
    const resizes = resizer.look(pod, view.state);
    const granted = resizer.granted({ ...pod, status: task.status });
    const plan = planPod({
      pod: granted,
      runtime: view.state,
      now,
      stopping: stops.ids,
      backoff: this.#backoff,
      failedProbe: (id) => probes.failedProbe(id),
      hasStarted: (id) => probes.hasStarted(id),
    });
    if (plan.ended) return plan;
    this.#backoffEvents.tell(context, pod, plan);
    const restarts = resizes.filter(({ record }) => !plan.kills.some((kill) => kill.record.id === record.id));
    for (const kill of [...plan.kills, ...restarts]) void task.stop(kill, ownGrace(pod));
    if (this.#starter.isStarting) return plan;
    const starts = plan.newSandbox !== undefined || plan.starts.length > 0;
    if (starts && plan.kills.length === 0 && now >= task.retryAt) this.#starter.start(granted, plan);
    if (!starts) task.succeeded();
    this.#clean();
    return plan;
  }

  #clean(): void {
    const { task } = this.#options;
    const remains = superfluous(task.view.state);
    if (this.#cleaning || remains.containers.length + remains.sandboxes.length === 0) return;
    this.#cleaning = true;
    removeRemains(task.context, task.pod, remains)
      .catch((error: unknown) => task.fail("ended containers could not be removed", error))
      .finally(() => {
        this.#cleaning = false;
        task.view.changed();
      });
  }
}
