/**
 * All pods of the node, a worker for each. What the runtime has of pods that nobody knows is ended: its pods were
 * deleted while no kubelet ran.
 */

import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodEviction, RunningPods } from "../ports.ts";
import { admitPod } from "./admit-pod.ts";
import { uidOf } from "./pod-name.ts";
import { PodWorker } from "./pod-worker.ts";
import { POD_NAME, POD_NAMESPACE, POD_UID, readContainerMarks } from "./runtime-labels.ts";
import { newestOf } from "./runtime-state.ts";
import { isStaticPod } from "./static-pod.ts";
import type { WorkerContext } from "./worker-context.ts";

export type PodWorkersOptions = Omit<WorkerContext, "left" | "others">;

/** What is there of a pod, in short: a text that differs when anything of it changed. */
type Picture = Map<string, string>;

interface Known {
  uid: string;
  name: string;
  namespace: string;
  graceSeconds?: number;
}

export class PodWorkers implements RunningPods {
  readonly #options: PodWorkersOptions;
  readonly #context: WorkerContext;
  readonly #workers = new Map<string, PodWorker>();
  /** Static pods that wait for another of their name to go. */
  readonly #held = new Map<string, Pod>();
  /** The pod's uid, by the ids of its containers and sandboxes. */
  #owners = new Map<string, string>();
  #picture: Picture = new Map();
  #adopted = false;

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
    const found = await this.#list();
    const { volumes, cgroups, log } = this.#options;
    for (const pod of [...pods].sort(byCreation)) this.#add(pod, found.has(uidOf(pod)));
    this.#adopted = true;
    for (const known of found.values()) this.#endUnknown(known);
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
    else if (this.#adopted) {
      // A static pod of the same name that is not gone yet would be in its way: of its ports, to begin with.
      if (isStaticPod(pod) && this.#named(pod)) this.#held.set(uidOf(pod), pod);
      else this.#add(pod, false);
    }
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

  containerChanged(id: string, ended: boolean): void {
    const uid = this.#owners.get(id) ?? this.#ownerOf(id);
    const exited = ended ? id : undefined;
    if (uid !== undefined) this.#workers.get(uid)?.runtimeChanged(exited);
    // It may be of a container that was started just now, and of which nothing was read yet.
    else for (const worker of this.#workers.values()) if (worker.mayHaveMore) worker.runtimeChanged(exited);
  }

  /** Wakes the pods of which the runtime says something else than the last time. */
  async relist(): Promise<void> {
    const before = this.#picture;
    const found = await this.#list();
    for (const uid of new Set([...before.keys(), ...this.#picture.keys()])) {
      if (before.get(uid) !== this.#picture.get(uid)) this.#workers.get(uid)?.runtimeChanged();
    }
    if (this.#adopted) for (const known of found.values()) this.#endUnknown(known);
  }

  async stop(): Promise<void> {
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

  #add(pod: Pod, runs: boolean): void {
    const { node, settings, refuses } = this.#options;
    const others = this.#others(uidOf(pod));
    const worker = new PodWorker(this.#context, pod, runs);
    this.#workers.set(worker.uid, worker);
    const { maxPods, allowedUnsafeSysctls } = settings;
    const short = refuses?.(pod);
    const refusal =
      runs || worker.isEnding
        ? undefined
        : short === undefined
          ? admitPod(pod, { node: node(), others, maxPods, allowedUnsafeSysctls })
          : { reason: "Evicted", message: short };
    if (refusal) worker.reject(refusal.reason, refusal.message);
    else worker.wake();
  }

  #left(uid: string): void {
    this.#workers.delete(uid);
    for (const other of this.#workers.values()) if (other.isDeferred) other.wake();
    for (const pod of this.#held.values()) {
      if (this.#named(pod)) continue;
      this.#held.delete(uidOf(pod));
      this.#add(pod, false);
    }
  }

  /** Those that have something of the node. */
  #others(uid: string): Pod[] {
    return [...this.#workers.values()]
      .filter((worker) => worker.uid !== uid && !worker.isOver && !hasPodEnded(worker.pod))
      .map((worker) => worker.granted);
  }

  #named({ metadata: { namespace, name } }: Pod): boolean {
    return this.list().some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  }

  #endUnknown({ uid, name, namespace, graceSeconds }: Known): void {
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

  /** Looks at everything that the runtime has of pods. */
  async #list(): Promise<Map<string, Known>> {
    const { runtime } = this.#options;
    const [{ items }, { containers }] = await Promise.all([
      runtime.listPodSandbox({}),
      runtime.listContainers({}),
    ]);
    const found = new Map<string, Known>();
    const picture: Picture = new Map();
    const owners = new Map<string, string>();
    const enter = (id: string, state: number, labels: ReadonlyMap<string, string>): Known | undefined => {
      const uid = labels.get(POD_UID);
      if (uid === undefined) return undefined;
      owners.set(id, uid);
      picture.set(uid, `${picture.get(uid) ?? ""}${id}=${state} `);
      const known = found.get(uid) ?? {
        uid,
        name: labels.get(POD_NAME) ?? "",
        namespace: labels.get(POD_NAMESPACE) ?? "",
      };
      found.set(uid, known);
      return known;
    };
    for (const { id, state, labels } of items.toSorted(byID)) enter(id, state, labels);
    for (const { id, state, labels, annotations } of containers.toSorted(byID)) {
      const known = enter(id, state, labels);
      if (known) known.graceSeconds ??= readContainerMarks(annotations).terminationGraceSeconds;
    }
    this.#owners = owners;
    this.#picture = picture;
    return found;
  }
}

function byID(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function byCreation(a: Pod, b: Pod): number {
  return (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? -1 : 1;
}
