/** Runs the pods of one node: what the API wants of it, the container runtime does, and the API is told of it. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod/pod.ts";
import { Service } from "../api/core/services.ts";
import { RuntimeClass } from "../api/node/runtime-class.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer/informer.ts";
import { isReason } from "../client/status.ts";
import { rpcErrorText } from "../host/grpc/status-text.ts";
import type { Kubelet, KubeletOptions, KubeletSettings } from "./kubelet-options.ts";
import { parseResolvConf } from "./pods/config/dns-config.ts";
import { ContainerEnds } from "./pods/container-ends.ts";
import { goDuration } from "./pods/go-duration.ts";
import { MirrorPods } from "./pods/mirror-pods.ts";
import { PodWorkers } from "./pods/pod-workers.ts";
import { followRuntime, type RuntimeEvents } from "./pods/runtime-events.ts";
import { StartTurns } from "./pods/start-turns.ts";
import { isMirrorPod, isStaticPod } from "./pods/static-pod.ts";
import { followStaticPods } from "./pods/static-pods.ts";
import { UserNamespaces } from "./pods/user-namespaces.ts";
import { PodError, type RunningPods } from "./ports.ts";
import { ProbeCounts } from "./probes/probe-counts.ts";
import { StatusWriter } from "./status/status-writer.ts";

export type { Kubelet, KubeletOptions, KubeletSettings } from "./kubelet-options.ts";

const DEFAULTS: KubeletSettings = {
  clusterDNS: [],
  clusterDomain: "cluster.local",
  resolvConf: "/etc/resolv.conf",
  maxPods: 110,
  resources: { memoryCapacity: 0, cgroupVersion: 2 },
  seccompDefault: false,
  seccompProfiles: "/var/lib/kubelet/seccomp",
  allowedUnsafeSysctls: [],
};

const RETRY = 1000;

/** Milliseconds for which the runtime may leave unanswered what containers it has, as upstream's. */
const LONGEST_UNLISTED = 3 * 60_000;

/** A step that waits for the disk leaves its core to another; more only take longer, all of them. */
const STARTS_A_CORE = 2;

export function startKubelet(options: KubeletOptions): Kubelet {
  return new NodeKubelet(options);
}

class NodeKubelet implements Kubelet {
  readonly pods: RunningPods;
  readonly ready: Promise<void>;
  readonly #options: KubeletOptions;
  readonly #settings: KubeletSettings;
  readonly #log: NonNullable<KubeletOptions["log"]>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #services: Informer<Service>;
  readonly #runtimeClasses: Informer<RuntimeClass>;
  readonly #counts = new ProbeCounts();
  readonly #ends: ContainerEnds;
  readonly #writer: StatusWriter;
  readonly #mirrors: MirrorPods;
  #workers: PodWorkers | undefined;
  #staticPods: readonly Pod[] = [];
  #events: RuntimeEvents | undefined;
  #stopped = false;
  /** Ends what follows something. */
  readonly #leave: (() => void)[] = [];

  constructor(options: KubeletOptions) {
    const { nodeName, client, informers, clock, log = () => {} } = options;
    this.#options = options;
    this.#settings = { ...DEFAULTS, ...options.settings };
    this.#log = log;
    this.#pods = informers.of(Pod, { fieldSelector: `spec.nodeName=${nodeName}` });
    this.#nodes = informers.of(Node, { fieldSelector: `metadata.name=${nodeName}` });
    this.#services = informers.of(Service);
    this.#runtimeClasses = informers.of(RuntimeClass);
    const failed = ({ metadata }: Pod, error: unknown): void => {
      const facts = { pod: `${metadata.namespace}/${metadata.name}`, error: String(error) };
      log("warn", "a pod's status could not be written", facts);
    };
    this.#writer = new StatusWriter({ client, clock, failed });
    this.#mirrors = new MirrorPods({
      client,
      clock,
      pods: this.#pods.lister,
      node: () => {
        const uid = this.#node()?.metadata.uid;
        return uid === undefined ? undefined : { name: nodeName, uid };
      },
      log,
    });
    this.#ends = new ContainerEnds({ runtime: options.runtime, clock });
    this.pods = this.#runningPods();
    this.ready = this.#start();
  }

  /** What upstream calls its pod lifecycle event generator is what lists here. */
  problems(): string[] {
    const silent = this.#events?.unlistedFor() ?? 0;
    if (silent < LONGEST_UNLISTED) return [];
    const limits = `${goDuration(silent)} ago; threshold is ${goDuration(LONGEST_UNLISTED)}`;
    return [`PLEG is not healthy: pleg was last seen active ${limits}`];
  }

  probeMetrics(): string {
    return this.#counts.text();
  }

  containerEnded(containerID: string, signal: AbortSignal): Promise<void> {
    return this.#ends.of(containerID, signal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#mirrors.stop();
    for (const leave of this.#leave) leave();
    await this.#workers?.stop();
    await this.#writer.stop();
  }

  async #start(): Promise<void> {
    const { runtime } = this.#options;
    const informers = [this.#pods, this.#nodes, this.#services, this.#runtimeClasses];
    for (const informer of informers) informer.start();
    const synced = informers.map((informer) => informer.synced);
    const [version] = await Promise.all([this.#whenUp(() => runtime.version({})), ...synced]);
    if (this.#stopped || !version) return;
    const workers = this.#makeWorkers(version.runtimeName);
    this.#workers = workers;
    await this.#followStaticPods(workers);
    const ofAPI = this.#pods.lister.list().filter((pod) => !isMirrorPod(pod));
    await this.#whenUp(() => workers.adopt([...this.#staticPods, ...ofAPI]));
    if (!this.#stopped) this.#follow(workers, version.runtimeName);
  }

  /** A runtime that is not up yet is waited for; undefined where the kubelet was stopped meanwhile. */
  async #whenUp<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let told = false; !this.#stopped; told = true) {
      try {
        return await ask();
      } catch (error) {
        if (!told)
          this.#log("warn", "the container runtime cannot be reached", { error: rpcErrorText(error) });
      }
      await new Promise<void>((resolve) => this.#options.clock.setTimer(RETRY, resolve));
    }
    return undefined;
  }

  #makeWorkers(runtimeName: string): PodWorkers {
    const { resolvConf } = this.#settings;
    const { paths, runtime } = this.#options;
    const runtimeHandler = (pod: Pod): string => this.#runtimeHandler(pod);
    return new PodWorkers({
      ...this.#options,
      settings: this.#settings,
      log: this.#log,
      runtimeName,
      writer: this.#writer,
      counts: this.#counts,
      turns: new StartTurns(this.#options.clock, STARTS_A_CORE * availableParallelism()),
      services: () => this.#services.lister.list(),
      allocatable: () => this.#node()?.status?.allocatable ?? {},
      node: () => this.#node(),
      nodeResolver: async () => parseResolvConf(await readFile(resolvConf, "utf8").catch(() => "")),
      runtimeHandler,
      userNamespaces: new UserNamespaces({ root: paths.root, runtime, runtimeHandler }),
      apiPod: (pod) => this.#apiPod(pod),
      deletePod: (pod) => deletePod(this.#options.client, pod),
    });
  }

  #node(): Node | undefined {
    return this.#nodes.lister.get("", this.#options.nodeName);
  }

  #runtimeHandler({ spec }: Pod): string {
    const name = spec?.runtimeClassName;
    if (!name) return "";
    const found = this.#runtimeClasses.lister.get("", name);
    if (found) return found.handler;
    const message = `failed to get sandbox runtime: RuntimeClass "${name}" not found`;
    throw new PodError("FailedCreatePodSandBox", message);
  }

  #apiPod(pod: Pod): Pod | undefined {
    if (isStaticPod(pod)) return this.#mirrors.of(pod);
    const { namespace = "", name = "", uid } = pod.metadata;
    const known = this.#pods.lister.get(namespace, name);
    return known?.metadata.uid === uid ? known : undefined;
  }

  async #followStaticPods(workers: PodWorkers): Promise<void> {
    const { paths, nodeName, clock } = this.#options;
    if (!paths.staticPods) return;
    const changed = (pods: readonly Pod[]): void => this.#setStatic(workers, pods);
    const options = { directory: paths.staticPods, nodeName, clock, changed, log: this.#log };
    const following = await followStaticPods(options);
    this.#leave.push(() => following.stop());
  }

  #setStatic(workers: PodWorkers, now: readonly Pod[]): void {
    const before = this.#staticPods;
    this.#staticPods = now;
    this.#mirrors.set(now);
    for (const { metadata } of before) {
      if (!now.some((pod) => pod.metadata.uid === metadata.uid)) workers.remove(metadata.uid ?? "");
    }
    for (const pod of now) workers.set(pod);
  }

  #follow(workers: PodWorkers, runtimeName: string): void {
    const { objects, runtime, runtimeSocket, clock } = this.#options;
    const events = followRuntime({
      runtime,
      runtimeName,
      socket: runtimeSocket,
      clock,
      changed: (id, what) => {
        workers.containerChanged(id, what);
        if (what === "ended") this.#ends.told(id);
      },
      relist: () => {
        this.#ends.look();
        return workers.relist();
      },
      log: this.#log,
    });
    this.#events = events;
    this.#leave.push(
      () => events.stop(),
      objects.subscribe((uid) => workers.objectsChanged(uid)),
      this.#nodes.subscribe(() => this.#mirrors.look()),
      this.#pods.subscribe(({ now, was }) => {
        const pod = (now ?? was) as Pod;
        if (isMirrorPod(pod)) this.#mirrorChanged(workers);
        else {
          if (was && was.metadata.uid !== now?.metadata.uid) workers.remove(was.metadata.uid ?? "");
          if (now) workers.set(now);
        }
      }),
    );
  }

  /** Static pods' statuses may be told by now, or must be told anew. */
  #mirrorChanged(workers: PodWorkers): void {
    this.#mirrors.look();
    for (const { metadata } of this.#staticPods) workers.wake(metadata.uid ?? "");
  }

  /** Usable before the first picture has come. */
  #runningPods(): RunningPods {
    return {
      list: () => this.#workers?.list() ?? [],
      get: (namespace, name) => this.#workers?.get(namespace, name),
      byUID: (uid) => this.#workers?.byUID(uid),
      containerID: async (uid, container, previous) => this.#workers?.containerID(uid, container, previous),
      sandboxID: async (uid) => this.#workers?.sandboxID(uid),
      evict: async (uid, eviction) => this.#workers?.evict(uid, eviction),
      told: async (uid) => this.#workers?.told(uid),
    };
  }
}

async function deletePod(client: Client, { metadata }: Pod): Promise<void> {
  const { name = "", namespace = "", uid } = metadata;
  const options = { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { preconditions: { uid } }) };
  try {
    await client.resource(Pod, namespace).delete(name, options);
  } catch (error) {
    if (!isReason(error, "NotFound", "Conflict")) throw error;
  }
}
