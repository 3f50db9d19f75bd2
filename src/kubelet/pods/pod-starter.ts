/** Has the starts of one pod's plans carried out, one plan at a time, beside the looks of its worker. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { CrashBackoff } from "./crash-backoff.ts";
import { ownGrace } from "./pod-ending.ts";
import { type PodPlan, specOf } from "./pod-plan.ts";
import type { PodTask } from "./pod-task.ts";
import { startPod } from "./start-pod.ts";

export class PodStarter {
  readonly #task: PodTask;
  readonly #backoff: CrashBackoff;
  #starting: { done: Promise<void>; abort: AbortController } | undefined;

  constructor(task: PodTask, backoff: CrashBackoff) {
    this.#task = task;
    this.#backoff = backoff;
  }

  get isStarting(): boolean {
    return this.#starting !== undefined;
  }

  /** Resolves when nothing is being started; what has begun is not waited for longer than it must. */
  async abort(): Promise<void> {
    this.#starting?.abort.abort();
    await this.#starting?.done;
  }

  start(pod: Pod, plan: PodPlan): void {
    const task = this.#task;
    const { view } = task;
    const abort = new AbortController();
    const done = startPod(task.context, {
      pod,
      plan,
      runtime: view.state,
      backoff: this.#backoff,
      waiting: task.waiting,
      hooked: view.hooked,
      signal: abort.signal,
      progress: () => task.changed(),
      mounted: () => {
        if (task.mounted) return;
        task.mounted = true;
        task.wake();
      },
      networked: (sandbox) => {
        view.made({ sandbox });
        task.wake();
      },
      started: async (container) => {
        await view.started(container);
        task.wake();
      },
      stop: (id) => this.#stopFailed(id),
    }).then(
      (good) => {
        if (good) task.retry.succeeded();
        else task.retryLater();
      },
      (error: unknown) => task.fail("a pod could not be started", error),
    );
    this.#starting = { abort, done };
    void done.finally(() => {
      this.#starting = undefined;
      task.wake();
    });
  }

  async #stopFailed(containerID: string): Promise<void> {
    const { view, pod } = this.#task;
    await view.read();
    const record = view.state.containers.find(({ id }) => id === containerID);
    if (record?.state !== "running") return;
    const container = specOf(pod, record.name);
    await this.#task.stop({ record, container, message: "FailedPostStartHook" }, ownGrace(pod));
  }
}
