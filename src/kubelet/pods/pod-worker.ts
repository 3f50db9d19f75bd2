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
import type { Pod, PodStatus } from "../../api/schema/core.v1.generated.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import type { PodEviction } from "../ports.ts";
import { PodProbes } from "../probes/pod-probes.ts";
import type { ProbeCounts } from "../probes/probe-counts.ts";
import { podAddresses, podStatus } from "../status/pod-status.ts";
import type { StatusWriter } from "../status/status-writer.ts";
import { BackoffEvents } from "./backoff-events.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import { LastWords } from "./last-words.ts";
import { activeDeadline, ownGrace, PodEnding } from "./pod-ending.ts";
import { recordOfPod } from "./pod-events.ts";
import { uidOf } from "./pod-name.ts";
import { type ContainerKill, type PodPlan, planPod, specOf, type Waiting } from "./pod-plan.ts";
import { PodResizer, type ResizeContext } from "./pod-resizer.ts";
import { removeAll, removeRemains, superfluous } from "./remove-remains.ts";
import {
  type ContainerRecord,
  NOTHING_RUNS,
  type PodRuntime,
  readContainerStatus,
  readPodRuntime,
  type SandboxRecord,
  usableSandbox,
  withMade,
} from "./runtime-state.ts";
import { SettlingExits } from "./settling-exits.ts";
import { startPod } from "./start-pod.ts";
import { ContainerStops } from "./stop-container.ts";
import { terminationTurns } from "./termination-order.ts";

export interface WorkerContext extends ResizeContext {
  writer: StatusWriter;
  counts: ProbeCounts;
  /** The pod of the API that stands for it: itself, or the mirror of a static pod; undefined while there is none. */
  apiPod(pod: Pod): Pod | undefined;
  /** Removes the pod from the API, once nothing of it runs. */
  deletePod(pod: Pod): Promise<void>;
  /** Nothing is left of the pod. */
  left(worker: PodWorker): void;
}

/** Milliseconds that the status of a pod whose containers are being started may wait for them. */
const SOON = 200;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 10_000;

export class PodWorker {
  readonly uid: string;
  readonly #context: WorkerContext;
  readonly #probes: PodProbes;
  readonly #stops: ContainerStops;
  readonly #backoff = new CrashBackoff();
  readonly #backoffEvents = new BackoffEvents();
  readonly #lastWords = new LastWords();
  readonly #waiting = new Map<string, Waiting>();
  readonly #hooked = new Set<string>();
  readonly #resizer: PodResizer;
  readonly #seenAt: number;
  #pod: Pod;
  #runtime: PodRuntime = NOTHING_RUNS;
  #status: PodStatus;
  #plan: PodPlan | undefined;
  readonly #ending = new PodEnding();
  #over = false;
  /** Those that wait for its end. */
  readonly #waiters: (() => void)[] = [];
  /** Whether the API was told that it can go. */
  #deleted = false;
  #removed = false;
  #stopped = false;
  /** Whether the runtime must be asked anew. */
  #dirty: boolean;
  #reading = false;
  #looking: Promise<void> | undefined;
  #again = false;
  #cancelTimer: (() => void) | undefined;
  #starting: { done: Promise<void>; abort: AbortController } | undefined;
  #closing: Promise<void> | undefined;
  #cleaning = false;
  #failures = 0;
  /** What was logged last. */
  #told: string | undefined;
  #retryAt = 0;
  readonly #exits = new SettlingExits();

  /** `runs`: whether the runtime may have something of the pod already. */
  constructor(context: WorkerContext, pod: Pod, runs: boolean) {
    this.uid = uidOf(pod);
    this.#dirty = runs;
    this.#context = context;
    this.#pod = pod;
    this.#status = pod.status ?? {};
    this.#seenAt = context.clock.now();
    this.#probes = new PodProbes({ ...context, changed: () => this.wake() });
    this.#stops = new ContainerStops(context, () => this.runtimeChanged());
    this.#resizer = new PodResizer(context, pod, () => this.wake());
    if (hasPodEnded(pod)) this.#ending.begin(ownGrace(this.#pod));
    this.#readDeletion();
  }

  /** With the status as the kubelet knows it. */
  get pod(): Pod {
    return { ...this.#pod, status: this.#status };
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
    return this.#runtime;
  }

  /** Whether nothing of it runs nor will. */
  get isOver(): boolean {
    return this.#over;
  }

  get isEnding(): boolean {
    return this.#ending.isOn;
  }

  /** Whether it may have containers that it has not seen yet. */
  get mayHaveMore(): boolean {
    return this.#starting !== undefined || this.#looking !== undefined;
  }

  update(pod: Pod): void {
    const was = this.#pod;
    this.#pod = pod;
    const { labels, annotations } = pod.metadata;
    const toldOther =
      !deepEqual(was.metadata.labels, labels) || !deepEqual(was.metadata.annotations, annotations);
    if (toldOther || !deepEqual(was.spec, pod.spec)) this.#retryAt = 0;
    if (toldOther) this.#renewVolumes();
    this.#readDeletion();
    if (was !== pod) this.wake();
  }

  /** Files that tell of the pod's own labels and annotations follow them. */
  #renewVolumes(): void {
    if (this.#ending.isOn || this.#runtime.containers.length === 0) return;
    this.#context.volumes
      .setUp(this.#pod)
      .catch((error) => this.#fail("volumes of a pod could not be renewed", error));
  }

  /** The API, or the folder of static pods, does not have it any more. */
  remove(): void {
    this.#removed = true;
    this.#ending.begin(this.#pod.metadata.deletionGracePeriodSeconds ?? ownGrace(this.#pod));
    this.wake();
  }

  runtimeChanged(exited?: string): void {
    if (exited !== undefined) this.#exits.add(exited, this.#context.clock.now());
    this.#dirty = true;
    this.wake();
  }

  /** Something that the pod uses has changed. */
  objectsChanged(): void {
    this.#retryAt = 0;
    this.wake();
  }

  /** Resolves when nothing of the pod runs any more. */
  async evict(eviction: PodEviction): Promise<void> {
    this.#ending.evict(eviction);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    this.wake();
    await promise;
  }

  /** The node does not take it: it fails without ever running. */
  reject(reason: string, message: string): void {
    recordOfPod(this.#context, this.#pod, "Warning", reason, message);
    this.#ending.begin(0, { reason, message: `Pod was rejected: ${message}` });
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#probes.stop();
    this.#starting?.abort.abort();
    await Promise.allSettled([this.#looking, this.#starting?.done, this.#closing]);
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = this.#run().finally(() => {
      this.#looking = undefined;
      // It may have been woken at the very end.
      if (this.#again) this.wake();
    });
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#look();
      } catch (error) {
        this.#fail("a pod could not be looked after", error);
      }
    } while (this.#again && !this.#stopped);
    if (!this.#stopped) this.#arm();
  }

  #fail(text: string, error: unknown): void {
    const { namespace, name } = this.#pod.metadata;
    const said = error instanceof Error && error.name !== "GrpcError" ? error.stack : rpcErrorText(error);
    // A runtime that is away is told of once.
    if (said !== this.#told) this.#context.log("warn", text, { pod: `${namespace}/${name}`, error: said });
    this.#told = said;
    this.#dirty = true;
    this.#retryLater();
  }

  #retryLater(): void {
    const delay = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#failures++);
    this.#retryAt = this.#context.clock.now() + delay;
  }

  async #look(): Promise<void> {
    // What changes while it is read may have been missed: to go on by that would start things twice.
    while (this.#dirty) await this.#read();
    const ip = podAddresses(this.#pod, { hostIPs: this.#context.hostIPs() }, this.#ips())[0] ?? "";
    this.#checkDeadline();
    this.#probes.update(this.pod, this.#shown(), ip, this.#ending.isOn);
    this.#plan = undefined;
    if (!this.#ending.isOn) this.#goOn();
    if (this.#ending.isOn) this.#advanceEnd();
    this.#tell();
  }

  async #read(): Promise<void> {
    this.#dirty = false;
    this.#reading = true;
    try {
      this.#runtime = await readPodRuntime(this.#context.runtime, this.uid, this.#runtime);
    } finally {
      this.#reading = false;
    }
    await this.#lastWords.read(this.#runtime);
    this.#exits.seen(this.#runtime);
  }

  /** What users are told of: a container runs when its hook after its start is done. */
  #shown(): PodRuntime {
    if (this.#hooked.size === 0) return this.#runtime;
    const { sandboxes, containers } = this.#runtime;
    const shown = containers.map((record): ContainerRecord => {
      const hooked = record.state === "running" && this.#hooked.has(record.id);
      return hooked ? { ...record, state: "created" } : record;
    });
    return { sandboxes, containers: shown };
  }

  #ips(): readonly string[] | undefined {
    return usableSandbox(this.#runtime, this.#pod.spec?.hostNetwork === true)?.ips;
  }

  #goOn(): void {
    const now = this.#context.clock.now();
    const resizes = this.#resizer.look(this.#pod, this.#runtime);
    const plan = planPod({
      pod: this.granted,
      runtime: this.#runtime,
      now,
      stopping: this.#stops.ids,
      backoff: this.#backoff,
      failedProbe: (id) => this.#probes.failedProbe(id),
      hasStarted: (id) => this.#probes.hasStarted(id),
    });
    this.#plan = plan;
    if (plan.ended) {
      this.#ending.begin(ownGrace(this.#pod));
      return;
    }
    this.#backoffEvents.tell(this.#context, this.#pod, plan);
    const restarts = resizes.filter(({ record }) => !plan.kills.some((kill) => kill.record.id === record.id));
    for (const kill of [...plan.kills, ...restarts]) void this.#stopOne(kill, ownGrace(this.#pod));
    if (this.#starting) return;
    if ((plan.newSandbox || plan.starts.length > 0) && plan.kills.length === 0) {
      if (now >= this.#retryAt) this.#start(plan);
    }
    if (!plan.newSandbox && plan.starts.length === 0) this.#failures = 0;
    this.#clean();
  }

  #start(plan: PodPlan): void {
    const abort = new AbortController();
    const done = startPod(this.#context, {
      pod: this.granted,
      plan,
      runtime: this.#runtime,
      backoff: this.#backoff,
      waiting: this.#waiting,
      hooked: this.#hooked,
      signal: abort.signal,
      progress: () => this.runtimeChanged(),
      networked: (sandbox) => this.#made({ sandbox }),
      started: (container) => this.#started(container),
      stop: (id) => this.#stopFailed(id),
    }).then(
      (good) => {
        if (good) this.#failures = 0;
        else {
          this.#dirty = true;
          this.#retryLater();
        }
      },
      (error: unknown) => this.#fail("a pod could not be started", error),
    );
    const starting = { abort, done };
    this.#starting = starting;
    void done.finally(() => {
      this.#starting = undefined;
      this.wake();
    });
  }

  async #started({ id, name, sandboxID }: Pick<ContainerRecord, "id" | "name" | "sandboxID">): Promise<void> {
    const { runtime } = this.#context;
    const container = await readContainerStatus(runtime, id, sandboxID, name).catch(() => undefined);
    // One that ended already left last words.
    if (container?.state === "running") this.#made({ container });
    else this.runtimeChanged();
  }

  /** Spares asking the runtime for all that it has of the pod. */
  #made(made: { sandbox?: SandboxRecord; container?: ContainerRecord }): void {
    this.#runtime = withMade(this.#runtime, made);
    // Who is just reading may not have seen it.
    if (this.#reading) this.#dirty = true;
    this.wake();
  }

  async #stopFailed(containerID: string): Promise<void> {
    await this.#read();
    const record = this.#runtime.containers.find(({ id }) => id === containerID);
    if (record?.state !== "running") return;
    const container = specOf(this.#pod, record.name);
    await this.#stopOne({ record, container, message: "FailedPostStartHook" }, ownGrace(this.#pod));
  }

  #stopOne(kill: ContainerKill, graceSeconds: number, turn?: Promise<unknown>): Promise<void> {
    const { container, probe } = kill;
    const asked = probe && container?.[`${probe}Probe`]?.terminationGracePeriodSeconds;
    return this.#stops.stop({
      pod: this.#pod,
      kill,
      graceSeconds: asked ?? graceSeconds,
      podIP: podAddresses(this.#pod, { hostIPs: this.#context.hostIPs() }, this.#ips())[0] ?? "",
      ...(turn ? { turn } : {}),
    });
  }

  #clean(): void {
    const remains = superfluous(this.#runtime);
    if (this.#cleaning || remains.containers.length + remains.sandboxes.length === 0) return;
    this.#cleaning = true;
    removeRemains(this.#context, this.#pod, remains)
      .catch((error: unknown) => this.#fail("ended containers could not be removed", error))
      .finally(() => {
        this.#cleaning = false;
        this.#dirty = true;
      });
  }

  #readDeletion(): void {
    const { deletionTimestamp, deletionGracePeriodSeconds } = this.#pod.metadata;
    if (deletionTimestamp === undefined) return;
    this.#ending.begin(deletionGracePeriodSeconds ?? ownGrace(this.#pod));
  }

  #deadline(): number | undefined {
    return this.#ending.isOn ? undefined : activeDeadline(this.pod);
  }

  #checkDeadline(): void {
    const deadline = this.#deadline();
    if (deadline === undefined || this.#context.clock.now() < deadline) return;
    const message = "Pod was active on the node longer than the specified deadline";
    recordOfPod(this.#context, this.#pod, "Normal", "DeadlineExceeded", message);
    this.#ending.begin(ownGrace(this.#pod), { reason: "DeadlineExceeded", message });
  }

  #advanceEnd(): void {
    if (this.#over) {
      this.#finish();
      return;
    }
    this.#starting?.abort.abort();
    if (this.#starting) return;
    const running = this.#runtime.containers.filter(({ state }) => state === "running");
    if (running.length > 0) {
      this.#stopAll();
      return;
    }
    if (this.#stops.ids.size > 0) return;
    this.#step(() => this.#close());
  }

  #stopAll(): void {
    const turns = terminationTurns(this.#pod);
    for (const record of this.#runtime.containers) {
      if (record.state !== "running") continue;
      const container = specOf(this.#pod, record.name);
      const kill = { record, container, message: `Stopping container ${record.name}` };
      const grace = this.#ending.graceSeconds;
      turns.stop(record.name, (turn) => this.#stopOne(kill, grace, turn));
    }
    turns.begin();
  }

  /** One step of the end at a time; one that fails is tried again. */
  #step(work: () => Promise<void>): void {
    if (this.#closing || this.#context.clock.now() < this.#retryAt) return;
    this.#closing = work()
      .then(
        () => {
          this.#failures = 0;
        },
        (error: unknown) => this.#fail("what a pod used could not be given back", error),
      )
      .finally(() => {
        this.#closing = undefined;
        this.wake();
      });
  }

  async #close(): Promise<void> {
    const { runtime, volumes, cgroups, objects } = this.#context;
    await Promise.all(
      this.#runtime.sandboxes
        .filter(({ ready }) => ready)
        .map(({ id }) => runtime.stopPodSandbox({ podSandboxId: id })),
    );
    this.#probes.stop();
    this.#context.counts.forget(this.uid);
    await volumes.tearDown(this.uid);
    await cgroups.remove(this.uid);
    objects.release(this.uid);
    await this.#read();
    this.#over = true;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Nothing runs: a pod that is being deleted leaves the API, one that left it leaves the machine. */
  #finish(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
    if (this.#removed) {
      this.#step(async () => {
        await removeAll(this.#context, this.#pod, this.#runtime);
        this.#context.writer.forget(this.uid);
        // Nothing wakes it any more.
        this.#stopped = true;
        this.#context.left(this);
      });
    } else if (this.#pod.metadata.deletionTimestamp !== undefined && !this.#deleted) {
      this.#step(async () => {
        this.#tell();
        await this.#context.writer.flushed(this.uid);
        await this.#context.deletePod(this.#pod);
        this.#deleted = true;
      });
    }
  }

  #tell(): void {
    if (this.#removed) return;
    const apiPod = this.#context.apiPod(this.#pod);
    const { hostIPs, runtimeName, clock } = this.#context;
    const waiting = new Map(this.#waiting);
    for (const [name, why] of this.#plan?.waiting ?? []) waiting.set(name, why);
    for (const { name, state } of this.#runtime.containers) if (state === "running") waiting.delete(name);
    const latest = apiPod ? this.#context.writer.latest(apiPod) : undefined;
    const told = latest?.status ?? this.#status;
    this.#status = podStatus(
      { ...this.#resizer.granted(this.#pod), status: told },
      {
        runtime: this.#shown(),
        waiting,
        hasStarted: (id) => this.#probes.hasStarted(id),
        isReady: (id) => this.#probes.isReady(id),
        messageOf: (record) => this.#lastWords.of(record),
        isOver: this.#over,
        ...(this.#ending.why ? { ending: this.#ending.why } : {}),
        actualOf: (id) => this.#resizer.actualOf(id),
        conditions: [...this.#resizer.conditions, ...this.#ending.conditions],
        hostIPs: hostIPs(),
        runtimeName,
        seenAt: this.#seenAt,
        now: clock.now(),
      },
    );
    if (!apiPod) return;
    // Most containers run a moment after their sandbox: one write tells of both.
    const runsSoon = this.#starting && !this.#ending.isOn && waiting.size === 0 && this.#ips() !== undefined;
    this.#context.writer.set(apiPod, this.#status, runsSoon ? SOON : 0);
  }

  /** For the next thing that falls due by itself. */
  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const now = this.#context.clock.now();
    const due: number[] = [];
    if (this.#retryAt > now) due.push(this.#retryAt);
    if (this.#plan?.wakeAt !== undefined) due.push(this.#plan.wakeAt);
    const deadline = this.#deadline();
    if (deadline !== undefined) due.push(deadline);
    const settling = this.#exits.next(now);
    if (settling !== undefined) {
      this.#dirty = true;
      due.push(now + settling);
    }
    if (this.#resizer.wakeAt !== undefined) due.push(this.#resizer.wakeAt);
    if (due.length === 0) return;
    this.#cancelTimer = this.#context.clock.setTimer(Math.max(0, Math.min(...due) - now), () => this.wake());
  }
}
