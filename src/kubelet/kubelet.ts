/** Runs the pods of one node: what the API wants of it, the container runtime does, and the API is told of it. */
import { readFile } from "node:fs/promises";
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod/pod.ts";
import { Service } from "../api/core/services.ts";
import { RuntimeClass } from "../api/node/runtime-class.ts";
import type { Client } from "../client/client.ts";
import { isReason } from "../client/status.ts";
import type { Kubelet, KubeletOptions, KubeletSettings } from "./kubelet-options.ts";
import { parseResolvConf } from "./pods/config/dns-config.ts";
import { MirrorPods } from "./pods/mirror-pods.ts";
import { PodWorkers } from "./pods/pod-workers.ts";
import { followRuntime, type RuntimeEvents } from "./pods/runtime-events.ts";
import { isMirrorPod, isStaticPod } from "./pods/static-pod.ts";
import { followStaticPods } from "./pods/static-pods.ts";
import { PodError } from "./ports.ts";
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

export function startKubelet(options: KubeletOptions): Kubelet {
  const { nodeName, client, informers, runtime, clock, objects } = options;
  const settings = { ...DEFAULTS, ...options.settings };
  const log = options.log ?? (() => {});
  const pods = informers.of(Pod, { fieldSelector: `spec.nodeName=${nodeName}` });
  const nodes = informers.of(Node, { fieldSelector: `metadata.name=${nodeName}` });
  const services = informers.of(Service);
  const runtimeClasses = informers.of(RuntimeClass);
  const counts = new ProbeCounts();
  const writer = new StatusWriter({
    client,
    clock,
    failed: ({ metadata }, error) =>
      log("warn", "a pod's status could not be written", {
        pod: `${metadata.namespace}/${metadata.name}`,
        error: String(error),
      }),
  });
  let stopped = false;
  let events: RuntimeEvents | undefined;
  const leave: (() => void)[] = [];
  let workers: PodWorkers | undefined;

  const mirrors = new MirrorPods({
    client,
    clock,
    pods: pods.lister,
    node: () => {
      const uid = nodes.lister.get("", nodeName)?.metadata.uid;
      return uid === undefined ? undefined : { name: nodeName, uid };
    },
    log,
  });
  let staticPods: readonly Pod[] = [];
  const setStatic = (of: PodWorkers, now: readonly Pod[]): void => {
    const before = staticPods;
    staticPods = now;
    mirrors.set(now);
    for (const { metadata } of before) {
      if (!now.some((pod) => pod.metadata.uid === metadata.uid)) of.remove(metadata.uid ?? "");
    }
    for (const pod of now) of.set(pod);
  };
  /** Their statuses may be told, or must be told anew. */
  const wakeStatic = (of: PodWorkers): void => {
    for (const { metadata } of staticPods) of.wake(metadata.uid ?? "");
  };

  const start = async (): Promise<PodWorkers> => {
    for (const informer of [pods, nodes, services, runtimeClasses]) informer.start();
    const synced = [pods, nodes, services, runtimeClasses].map((informer) => informer.synced);
    const [{ runtimeName }] = await Promise.all([runtime.version({}), ...synced]);
    const made = new PodWorkers({
      ...options,
      settings,
      log,
      runtimeName,
      writer,
      counts,
      services: () => services.lister.list(),
      allocatable: () => nodes.lister.get("", nodeName)?.status?.allocatable ?? {},
      node: () => nodes.lister.get("", nodeName),
      nodeResolver: async () => parseResolvConf(await readFile(settings.resolvConf, "utf8").catch(() => "")),
      runtimeHandler: ({ spec }) => {
        const name = spec?.runtimeClassName;
        if (!name) return "";
        const found = runtimeClasses.lister.get("", name);
        if (found) return found.handler;
        const message = `failed to get sandbox runtime: RuntimeClass "${name}" not found`;
        throw new PodError("FailedCreatePodSandBox", message);
      },
      apiPod: (pod) => {
        if (isStaticPod(pod)) return mirrors.of(pod);
        const { metadata } = pod;
        const known = pods.lister.get(metadata.namespace ?? "", metadata.name ?? "");
        return known?.metadata.uid === metadata.uid ? known : undefined;
      },
      deletePod: (pod) => deletePod(client, pod),
    });
    if (stopped) return made;
    workers = made;
    if (options.paths.staticPods) {
      const directory = options.paths.staticPods;
      const changed = (now: readonly Pod[]): void => setStatic(made, now);
      const following = await followStaticPods({ directory, nodeName, clock, changed, log });
      leave.push(() => following.stop());
    }
    const ofAPI = pods.lister.list().filter((pod) => !isMirrorPod(pod));
    await made.adopt([...staticPods, ...ofAPI]);
    if (stopped) return made;
    leave.push(
      nodes.subscribe(() => mirrors.look()),
      pods.subscribe(({ now, was }) => {
        if (isMirrorPod((now ?? was)!)) {
          mirrors.look();
          wakeStatic(made);
          return;
        }
        if (was && was.metadata.uid !== now?.metadata.uid) made.remove(was.metadata.uid ?? "");
        if (now) made.set(now);
      }),
      objects.subscribe((uid) => made.objectsChanged(uid)),
    );
    events = followRuntime({
      runtime,
      runtimeName,
      socket: options.runtimeSocket,
      clock,
      changed: (id, ended) => made.containerChanged(id, ended),
      relist: () => made.relist(),
      log,
    });
    return made;
  };
  const started = start();
  const running = (): PodWorkers => {
    if (!workers) throw new Error("the kubelet has no picture of its pods yet");
    return workers;
  };
  return {
    pods: {
      list: () => workers?.list() ?? [],
      get: (namespace, name) => workers?.get(namespace, name),
      byUID: (uid) => workers?.byUID(uid),
      containerID: (uid, container, previous) => running().containerID(uid, container, previous),
      sandboxID: (uid) => running().sandboxID(uid),
      evict: (uid, eviction) => running().evict(uid, eviction),
    },
    probeMetrics: () => counts.text(),
    ready: started.then(() => {}),
    async stop() {
      stopped = true;
      mirrors.stop();
      for (const unsubscribe of leave) unsubscribe();
      events?.stop();
      await workers?.stop();
      await writer.stop();
    },
  };
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
