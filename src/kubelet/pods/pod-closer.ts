/**
 * Brings one pod to its end:
 *
 *   containers stopped ──▶ sandbox stopped, volumes and cgroup gone ──▶ over ──▶ removed from the API ──▶ nothing is left
 *
 * Each look of the pod's worker advances it by what can be done at once; a step that takes long wakes the worker.
 */
import type { PodProbes } from "../probes/pod-probes.ts";
import type { PodEnding } from "./pod-ending.ts";
import { specOf } from "./pod-plan.ts";
import type { PodTask } from "./pod-task.ts";
import { removeAll, removeRemains } from "./remove-remains.ts";
import { terminationTurns } from "./termination-order.ts";

const EVICTED = "Evicted";

export interface PodCloserOptions {
  task: PodTask;
  ending: PodEnding;
  probes: PodProbes;
  /** Tells the API what became of the pod. */
  tell(): void;
  /** Nothing wakes the worker any more. */
  left(): void;
}

export class PodCloser {
  readonly #options: PodCloserOptions;
  /** Those that wait for its end. */
  readonly #waiters: (() => void)[] = [];
  #over = false;
  #removed = false;
  /** Whether the API was told that it can go. */
  #deleted = false;
  #closing: Promise<void> | undefined;

  constructor(options: PodCloserOptions) {
    this.#options = options;
  }

  /** Whether nothing of it runs nor will. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Whether the API, or the folder of static pods, has it no more. */
  get isRemoved(): boolean {
    return this.#removed;
  }

  removed(): void {
    this.#removed = true;
  }

  /** Resolves when nothing of the pod runs any more. */
  over(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    return promise;
  }

  /** Resolves when no step is under way. */
  async settled(): Promise<void> {
    await this.#closing;
  }

  /** Only while nothing of the pod is being started. */
  advance(): void {
    const { task } = this.#options;
    if (this.#over) {
      this.#finish();
      return;
    }
    const running = task.view.state.containers.filter(({ state }) => state === "running");
    if (running.length > 0) this.#stopAll();
    else if (task.stops.ids.size === 0) this.#step(() => this.#close());
  }

  #stopAll(): void {
    const { task, ending } = this.#options;
    const turns = terminationTurns(task.pod);
    for (const record of task.view.state.containers) {
      if (record.state !== "running") continue;
      const container = specOf(task.pod, record.name);
      const kill = { record, container, message: `Stopping container ${record.name}` };
      turns.stop(record.name, (turn) => task.stop(kill, ending.graceSeconds, turn));
    }
    turns.begin();
  }

  /** One step of the end at a time; one that fails is tried again. */
  #step(work: () => Promise<void>): void {
    const { task } = this.#options;
    if (this.#closing || task.retry.waits) return;
    this.#closing = work()
      .then(
        () => task.retry.succeeded(),
        (error: unknown) => task.fail("what a pod used could not be given back", error),
      )
      .finally(() => {
        this.#closing = undefined;
        task.wake();
      });
  }

  async #close(): Promise<void> {
    const { task, probes, ending } = this.#options;
    const { runtime, volumes, cgroups, objects, counts } = task.context;
    await Promise.all(
      task.view.state.sandboxes
        .filter(({ ready }) => ready)
        .map(({ id }) => runtime.stopPodSandbox({ podSandboxId: id })),
    );
    probes.stop();
    counts.forget(task.uid);
    await volumes.tearDown(task.uid);
    await cgroups.remove(task.uid);
    objects.release(task.uid);
    await task.view.read();
    if (ending.why?.reason === EVICTED) {
      // What it wrote was too much for the node, and must not stay for as long as somebody keeps the pod.
      const { containers } = task.view.state;
      await removeRemains(task.context, task.pod, { containers: [...containers], sandboxes: [] });
    }
    this.#over = true;
    this.#resolve();
  }

  /** Nothing runs: a pod that is being deleted leaves the API, one that left it leaves the machine. */
  #finish(): void {
    const { task, tell, left } = this.#options;
    const { context, pod, uid, view } = task;
    this.#resolve();
    if (this.#removed) {
      this.#step(async () => {
        await removeAll(context, pod, view.state);
        context.writer.forget(uid);
        left();
        context.left(uid);
      });
    } else if (pod.metadata.deletionTimestamp !== undefined && !this.#deleted) {
      this.#step(async () => {
        tell();
        await context.writer.flushed(uid);
        await context.deletePod(pod);
        this.#deleted = true;
      });
    }
  }

  #resolve(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
