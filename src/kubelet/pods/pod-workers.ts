/**
 * All pods of the node, a worker for each. What the runtime has of pods that nobody knows is ended: its pods were
 * deleted while no kubelet ran.
 */

import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodEviction, RunningPods } from "../ports.ts";
import { type Decision, decideAdmission, evictionFor, PREEMPTED, PREEMPTING } from "./pod-admission.ts";
import { recordOfPod } from "./pod-events.ts";
import { uidOf } from "./pod-name.ts";
import { PodWorker } from "./pod-worker.ts";
import type { RuntimeChange } from "./runtime-events.ts";
import { type KnownPod, RuntimeInventory } from "./runtime-inventory.ts";
import { newestOf } from "./runtime-state.ts";
import { isStaticPod } from "./static-pod.ts";
import type { WorkerContext } from "./worker-context.ts";

export type PodWorkersOptions = Omit<WorkerContext, "left" | "others">;

/** Milliseconds that preempted pods get at the least. */
const SHORTEST_PREEMPTION = 10_000;

export class PodWorkers implements RunningPods {
  readonly #options: PodWorkersOptions;
  readonly #context: WorkerContext;
  readonly #workers = new Map<string, PodWorker>();
  /** Pods that wait: a static one for another of its name to go, any for those that are being preempted. */
  readonly #held = new Map<string, Pod>();
  /** Those that were to make room, and do not count any more. */
  readonly #preempted = new Set<string>();
  #preempting = false;
  readonly #inventory = new RuntimeInventory();
  #adopted = false;
  #stopped = false;

  constructor(options: PodWorkersOptions) {
    this.#options = options;
    this.#context = {
      ...options,
      left: (uid) => this.#left(uid),
      others: (uid) => this.#others(uid),
    };
  }

  /** `pods`: all that the node shall run. Called once, before anything else. */
  async adopt(pods: readonly Pod[]): Promise<void> {
    const { runtime, volumes, cgroups, log } = this.#options;
    const found = (await this.#inventory.read(runtime)).pods;
    const known = new Set(found.map(({ uid }) => uid));
    const inOrder = [...pods].sort(byCreation);
    const runs = (pod: Pod): boolean => known.has(uidOf(pod));
    for (const pod of inOrder.filter(runs)) this.#add(pod, true);
    this.#adopted = true;
    // What runs has its place: these get what is left.
    for (const pod of inOrder) if (!runs(pod)) this.set(pod);
    for (const pod of found) this.#endUnknown(pod);
    const [mounted, grouped] = await Promise.all([volumes.podUIDs(), cgroups.podUIDs()]).catch((error) => {
      log("warn", "what former pods used could not be found", { error: String(error) });
      return [[], []];
    });
    const give = async (uid: string): Promise<void> => {
      await volumes.tearDown(uid);
      await cgroups.remove(uid);
    };
    for (const uid of new Set([...mounted, ...grouped])) {
      if (this.#workers.has(uid)) continue;
      give(uid).catch((error: unknown) =>
        log("warn", "what a former pod used could not be given back", { uid, error: String(error) }),
      );
    }
  }

  /** A pod is there, or has changed. */
  set(pod: Pod): void {
    const worker = this.#workers.get(uidOf(pod));
    if (worker) worker.update(pod);
    else if (!this.#adopted) return;
    else if (this.#waits(pod)) this.#held.set(uidOf(pod), pod);
    else this.#add(pod, false);
  }

  /** A pod is gone from where it came. */
  remove(uid: string): void {
    this.#held.delete(uid);
    this.#workers.get(uid)?.remove();
  }

  /** What the pod uses of the API has changed. */
  objectsChanged(uid: string): void {
    this.#workers.get(uid)?.objectsChanged();
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  containerChanged(id: string, what: RuntimeChange): void {
    const uid = this.#inventory.ownerOf(id) ?? this.#ownerOf(id);
    if (uid !== undefined) this.#workers.get(uid)?.runtimeChanged(id, what);
    // It may be of a container that was started just now, and of which nothing was read yet.
    else for (const worker of this.#workers.values()) if (worker.mayHaveMore) worker.runtimeChanged(id, what);
  }

  /** Wakes the pods of which the runtime says something else than the last time. */
  async relist(): Promise<void> {
    const { pods, changed } = await this.#inventory.read(this.#options.runtime);
    for (const uid of changed) this.#workers.get(uid)?.runtimeChanged();
    if (this.#adopted) for (const pod of pods) this.#endUnknown(pod);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
  }

  list(): readonly Pod[] {
    return [...this.#workers.values()].map(({ pod }) => pod);
  }

  get(namespace: string, name: string): Pod | undefined {
    const named = this.list().filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
    );
    return named.find((pod) => !hasPodEnded(pod)) ?? named[0];
  }

  byUID(uid: string): Pod | undefined {
    return this.#workers.get(uid)?.pod;
  }

  /** As their status tells of them: where a container waits for its restart, the last that ended is both. */
  async containerID(podUID: string, container: string, previous = false): Promise<string | undefined> {
    const worker = this.#workers.get(podUID);
    if (!worker) return undefined;
    const {
      containerStatuses = [],
      initContainerStatuses = [],
      ephemeralContainerStatuses = [],
    } = worker.pod.status ?? {};
    const told = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
    const status = told.find(({ name }) => name === container);
    const id = previous ? status?.lastState?.terminated?.containerID : status?.containerID;
    const plain = id?.slice(id.indexOf("://") + 3);
    const known = worker.runtime.containers.some((record) => record.id === plain);
    return known ? plain : previous ? undefined : newestOf(worker.runtime, container)?.id;
  }

  async sandboxID(podUID: string): Promise<string | undefined> {
    return this.#workers.get(podUID)?.runtime.sandboxes.find(({ ready }) => ready)?.id;
  }

  async evict(podUID: string, eviction: PodEviction): Promise<void> {
    await this.#workers.get(podUID)?.evict(eviction);
  }

  async told(podUID: string): Promise<void> {
    await this.#workers.get(podUID)?.told();
  }

  #add(pod: Pod, runs: boolean): void {
    const isEnding = hasPodEnded(pod) || pod.metadata.deletionTimestamp !== undefined;
    const { refusal, victims }: Decision = runs || isEnding ? {} : this.#decide(pod);
    if (victims) {
      this.#held.set(uidOf(pod), pod);
      void this.#preempt(victims);
      return;
    }
    const worker = new PodWorker(this.#context, pod, runs);
    this.#workers.set(worker.uid, worker);
    if (refusal) worker.reject(refusal.reason, refusal.message);
    else worker.wake();
  }

  #decide(pod: Pod): Decision {
    const { node, settings, refuses, closed } = this.#options;
    const { maxPods, allowedUnsafeSysctls } = settings;
    const refusal = closed?.();
    if (refusal) return { refusal };
    const others = this.#others(uidOf(pod));
    const pressure = refuses?.(pod);
    return decideAdmission(pod, { node: node(), others, maxPods, allowedUnsafeSysctls, pressure });
  }

  /** Nobody else takes what they leave: who comes meanwhile waits too. */
  async #preempt(victims: readonly Pod[]): Promise<void> {
    this.#preempting = true;
    await Promise.all(
      victims.map(async (victim) => {
        this.#preempted.add(uidOf(victim));
        recordOfPod(this.#options, victim, "Warning", PREEMPTING, PREEMPTED);
        const eviction = evictionFor(victim);
        await this.#longEnough(eviction.graceSeconds, this.evict(uidOf(victim), eviction));
      }),
    );
    this.#preempting = false;
    this.#release();
  }

  /** One that cannot be killed is not waited for for ever. */
  async #longEnough(graceSeconds: number, ended: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const ms = Math.max(SHORTEST_PREEMPTION, graceSeconds * 1500);
    const cancel = this.#options.clock.setTimer(ms, late.resolve);
    await Promise.race([ended, late.promise]).finally(cancel);
  }

  #left(uid: string): void {
    this.#workers.delete(uid);
    this.#preempted.delete(uid);
    for (const other of this.#workers.values()) if (other.isDeferred) other.wake();
    this.#release();
  }

  #waits(pod: Pod): boolean {
    // A static pod of the same name that is not gone yet would be in its way: of its ports, to begin with.
    return this.#preempting || (isStaticPod(pod) && this.#named(pod));
  }

  #release(): void {
    for (const pod of this.#held.values()) {
      if (this.#stopped || this.#waits(pod)) continue;
      this.#held.delete(uidOf(pod));
      this.#add(pod, false);
    }
  }

  /** Those that have something of the node. */
  #others(uid: string): Pod[] {
    return [...this.#workers.values()]
      .filter((worker) => worker.uid !== uid && !worker.isOver && !hasPodEnded(worker.pod))
      .filter((worker) => !this.#preempted.has(worker.uid))
      .map((worker) => worker.granted);
  }

  #named({ metadata: { namespace, name } }: Pod): boolean {
    return this.list().some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  }

  #endUnknown({ uid, name, namespace, graceSeconds }: KnownPod): void {
    if (this.#workers.has(uid)) return;
    const terminationGracePeriodSeconds = graceSeconds;
    const pod: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, uid },
      spec: { containers: [], ...(graceSeconds === undefined ? {} : { terminationGracePeriodSeconds }) },
    };
    const worker = new PodWorker(this.#context, pod, true);
    this.#workers.set(uid, worker);
    worker.remove();
  }

  #ownerOf(id: string): string | undefined {
    for (const { uid, runtime } of this.#workers.values()) {
      const own =
        runtime.containers.some((record) => record.id === id) ||
        runtime.sandboxes.some((one) => one.id === id);
      if (own) return uid;
    }
    return undefined;
  }
}

function byCreation(a: Pod, b: Pod): number {
  return (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? -1 : 1;
}
