/**
 * Looks after one pod, from the moment it is bound to the node until nothing of it is left:
 *
 *                    ┌───── plan: sandbox, containers, restarts ◀─┐
 *   admitted ──▶ running ──────────────────────────────────────────┘
 *                    │ deleted, evicted, out of time, all done
 *                    ▼
 *                 ending ──▶ containers stopped ──▶ sandbox stopped, volumes and cgroup gone ──▶ over
 *                                                                                                 │
 *                            removed from the API ──▶ containers, sandbox and logs removed ◀──────┘
 *
 * Whatever happens (the pod changed, the runtime, a probe, a timer) only wakes the worker: it then looks at everything
 * and does what is to be done. One look is under way at a time. What takes long, starting and stopping, goes on beside
 * it and wakes it when it is done.
 */
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import type { PodEviction } from "../ports.ts";
import { PodProbes } from "../probes/pod-probes.ts";
import { Looks } from "./looks.ts";
import { PodCloser } from "./pod-closer.ts";
import { activeDeadline, ownGrace, PodEnding } from "./pod-ending.ts";
import { recordOfPod } from "./pod-events.ts";
import type { PodPlan } from "./pod-plan.ts";
import { PodResizer } from "./pod-resizer.ts";
import { PodRunner } from "./pod-runner.ts";
import { PodTask } from "./pod-task.ts";
import { PodTeller } from "./pod-teller.ts";
import type { RuntimeChange } from "./runtime-events.ts";
import type { PodRuntime } from "./runtime-state.ts";
import type { WorkerContext } from "./worker-context.ts";

export class PodWorker {
  readonly uid: string;
  readonly #context: WorkerContext;
  readonly #task: PodTask;
  readonly #looks: Looks;
  readonly #probes: PodProbes;
  readonly #resizer: PodResizer;
  readonly #ending = new PodEnding();
  readonly #runner: PodRunner;
  readonly #teller: PodTeller;
  readonly #closer: PodCloser;
  #plan: PodPlan | undefined;
  #cancelTimer: (() => void) | undefined;

  /** `runs`: whether the runtime may have something of the pod already. */
  constructor(context: WorkerContext, pod: Pod, runs: boolean) {
    this.#context = context;
    const wake = (): void => this.wake();
    const ending = this.#ending;
    const task = new PodTask(context, pod, runs, wake);
    const probes = new PodProbes({ ...context, changed: wake });
    const resizer = new PodResizer(context, pod, wake);
    this.uid = task.uid;
    this.#task = task;
    this.#probes = probes;
    this.#resizer = resizer;
    this.#runner = new PodRunner({ task, probes, resizer });
    this.#teller = new PodTeller({ task, probes, resizer, ending });
    this.#closer = new PodCloser({
      task,
      ending,
      probes,
      tell: () => this.#tell(),
      left: () => void this.#looks.end(),
    });
    this.#looks = new Looks({
      look: () => this.#look(),
      failed: (error) => task.fail("a pod could not be looked after", error),
      settled: () => this.#arm(),
    });
    if (hasPodEnded(pod)) ending.begin(ownGrace(pod));
    this.#readDeletion();
  }

  /** With the status as the kubelet knows it. */
  get pod(): Pod {
    return { ...this.#task.pod, status: this.#task.status };
  }

  /** With the resources that it was granted, which may not be those that it wants by now. */
  get granted(): Pod {
    return this.#resizer.granted(this.pod);
  }

  /** Whether it waits for other pods to leave it more of the node. */
  get isDeferred(): boolean {
    return this.#resizer.isDeferred;
  }

  get runtime(): PodRuntime {
    return this.#task.view.state;
  }

  /** Whether nothing of it runs nor will. */
  get isOver(): boolean {
    return this.#closer.isOver;
  }

  /** Whether it may have containers that it has not seen yet. */
  get mayHaveMore(): boolean {
    return this.#runner.isStarting || this.#looks.isLooking;
  }

  update(pod: Pod): void {
    const was = this.#task.pod;
    this.#task.pod = pod;
    const { labels, annotations } = pod.metadata;
    const toldOther =
      !deepEqual(was.metadata.labels, labels) || !deepEqual(was.metadata.annotations, annotations);
    if (toldOther || !deepEqual(was.spec, pod.spec)) this.#task.retry.now();
    if (toldOther) this.#renewVolumes();
    this.#readDeletion();
    if (was !== pod) this.wake();
  }

  /** Files that tell of the pod's own labels and annotations follow them. */
  #renewVolumes(): void {
    const { pod, view } = this.#task;
    if (this.#ending.isOn || view.state.containers.length === 0) return;
    this.#context.volumes
      .setUp(pod)
      .catch((error) => this.#task.fail("volumes of a pod could not be renewed", error));
  }

  /** The API, or the folder of static pods, does not have it any more. */
  remove(): void {
    this.#closer.removed();
    const { pod } = this.#task;
    this.#ending.begin(pod.metadata.deletionGracePeriodSeconds ?? ownGrace(pod));
    this.wake();
  }

  runtimeChanged(id?: string, what?: RuntimeChange): void {
    this.#task.changed(id, what);
  }

  /** Something that the pod uses has changed. */
  objectsChanged(): void {
    this.#task.retry.now();
    this.wake();
  }

  /** Resolves when nothing of the pod runs any more. */
  async evict(eviction: PodEviction): Promise<void> {
    this.#ending.evict(eviction);
    const over = this.#closer.over();
    this.wake();
    await over;
  }

  /** Resolves when the API was told how it is with the pod, or cannot be. */
  async told(): Promise<void> {
    this.#tell();
    await this.#context.writer.flushed(this.uid);
  }

  /** The node does not take it: it fails without ever running. */
  reject(reason: string, message: string): void {
    recordOfPod(this.#context, this.#task.pod, "Warning", reason, message);
    this.#ending.reject(reason, message);
    this.wake();
  }

  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#probes.stop();
    await Promise.allSettled([this.#looks.end(), this.#runner.abort(), this.#closer.settled()]);
  }

  wake(): void {
    this.#looks.wake();
  }

  async #look(): Promise<void> {
    const { view, retry } = this.#task;
    await view.refresh();
    retry.look();
    const { ip } = this.#task;
    this.#checkDeadline();
    this.#probes.update(this.pod, view.shown, ip, this.#ending.isOn);
    this.#plan = this.#ending.isOn ? undefined : this.#runner.advance();
    if (this.#plan?.ended) this.#ending.begin(ownGrace(this.#task.pod));
    if (this.#ending.isOn) this.#advanceEnd();
    this.#tell();
  }

  #readDeletion(): void {
    const { pod } = this.#task;
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (deletionTimestamp === undefined) return;
    this.#ending.begin(deletionGracePeriodSeconds ?? ownGrace(pod));
  }

  #deadline(): number | undefined {
    return this.#ending.isOn ? undefined : activeDeadline(this.pod);
  }

  #checkDeadline(): void {
    const deadline = this.#deadline();
    if (deadline === undefined || this.#context.clock.now() < deadline) return;
    const { pod } = this.#task;
    const message = "Pod was active on the node longer than the specified deadline";
    recordOfPod(this.#context, pod, "Normal", "DeadlineExceeded", message);
    this.#ending.begin(ownGrace(pod), { reason: "DeadlineExceeded", message });
  }

  #advanceEnd(): void {
    // What is being started by now is not waited for longer than it must.
    if (!this.#closer.isOver) void this.#runner.abort();
    if (!this.#runner.isStarting) this.#closer.advance();
  }

  #tell(): void {
    if (this.#closer.isRemoved) return;
    const { isStarting } = this.#runner;
    this.#teller.tell({ plan: this.#plan, isStarting, isOver: this.#closer.isOver });
  }

  /** For the next thing that falls due by itself. */
  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { clock } = this.#context;
    const { view, retry } = this.#task;
    const now = clock.now();
    const settling = view.settlesAfter(now);
    const due = [
      retry.left === undefined ? undefined : now + retry.left,
      this.#plan?.wakeAt,
      this.#deadline(),
      settling === undefined ? undefined : now + settling,
      this.#resizer.wakeAt,
    ].filter((at) => at !== undefined);
    if (due.length === 0) return;
    this.#cancelTimer = clock.setTimer(Math.max(0, Math.min(...due) - now), () => this.wake());
  }
}
