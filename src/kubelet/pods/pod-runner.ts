/**
 * Has one pod run: each look of its worker makes a plan of what it wants and what is there, and begins what differs.
 * What takes long wakes the worker when it is done.
 */
import type { PodProbes } from "../probes/pod-probes.ts";
import { BackoffEvents } from "./backoff-events.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import { ownGrace } from "./pod-ending.ts";
import { type ContainerKill, type PodPlan, planPod, specOf } from "./pod-plan.ts";
import type { PodResizer } from "./pod-resizer.ts";
import { PodStarter } from "./pod-starter.ts";
import type { PodTask } from "./pod-task.ts";
import { removeForReset, removeRemains, superfluous } from "./remove-remains.ts";
import { containersToReset } from "./restart-all.ts";
import type { ContainerRecord } from "./runtime-state.ts";

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
    const toReset = containersToReset(pod, view.state, task.restartingAll);
    task.restartingAll = toReset !== undefined;
    if (toReset) return this.#reset(toReset);
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
    if (starts && plan.kills.length === 0 && !task.retry.waits) this.#starter.start(granted, plan);
    if (!starts) task.retry.succeeded();
    this.#clean();
    return plan;
  }

  /** Nothing begins before all that was there is gone. */
  #reset(records: readonly ContainerRecord[]): PodPlan {
    const { task } = this.#options;
    const { context, view, stops, pod } = task;
    const kills = records.flatMap((record): ContainerKill[] => {
      if (record.state !== "running" || stops.ids.has(record.id)) return [];
      return [{ record, container: specOf(pod, record.name), message: "killing" }];
    });
    // Neither their hooks nor their grace are waited for.
    for (const kill of kills) void task.stop(kill, 0);
    void this.#starter.abort();
    const isQuiet = !this.#starter.isStarting && records.every(({ id }) => !stops.ids.has(id));
    if (isQuiet && kills.length === 0 && !task.retry.waits) {
      this.#remove(async () => {
        await removeForReset(context, pod, records, view.state.former ?? []);
        view.removed(records);
        task.wake();
      });
    }
    return { kills, starts: [], waiting: new Map(), ended: false };
  }

  #clean(): void {
    const { task } = this.#options;
    const remains = superfluous(task.view.state);
    if (remains.containers.length + remains.sandboxes.length === 0) return;
    this.#remove(() => removeRemains(task.context, task.pod, remains));
  }

  /** One removal at a time. */
  #remove(work: () => Promise<void>): void {
    const { task } = this.#options;
    if (this.#cleaning) return;
    this.#cleaning = true;
    work()
      .catch((error: unknown) => task.fail("ended containers could not be removed", error))
      .finally(() => {
        this.#cleaning = false;
        task.view.changed();
      });
  }
}
