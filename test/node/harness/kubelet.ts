/** A node of one test's own: a cluster in this process, a containerd, and a kubelet between them. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pod/pod.ts";
import { Event } from "../../../src/api/events/event.ts";
import type { Container } from "../../../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import { CoreEventRecorder } from "../../../src/client/events/core-event-recorder.ts";
import { Informers } from "../../../src/client/informer/informers.ts";
import type { Transport } from "../../../src/client/transport.ts";
import { openCgroupTree } from "../../../src/host/cgroups/cgroup-tree.ts";
import { openImageViews } from "../../../src/host/containerd/image-views.ts";
import { createImageManager } from "../../../src/kubelet/images/image-manager.ts";
import { type Kubelet, type KubeletSettings, startKubelet } from "../../../src/kubelet/kubelet.ts";
import { createPodObjects } from "../../../src/kubelet/objects/pod-objects.ts";
import type { KubeletPaths } from "../../../src/kubelet/ports.ts";
import { startPodCgroups } from "../../../src/kubelet/resources/pod-cgroups.ts";
import { openContainerRuntime } from "../../../src/kubelet/runtime/container-runtime.ts";
import { imagesOfVolumes } from "../../../src/kubelet/volumes/image-records.ts";
import { createVolumeManager } from "../../../src/kubelet/volumes/volume-manager.ts";
import { type Cluster, startCluster } from "../../../src/testing/index.ts";
import { asUser } from "./as-user.ts";
import { startContainerd, type TestContainerd } from "./containerd.ts";
import { inReverse } from "./in-reverse.ts";
import { untilText } from "./until-there.ts";

export const NODE = "node-a";

const CGROUP_ROOT = `/kybern-test-kubelet-${process.pid}`;

export interface TestNode {
  cgroupRoot: string;
  cluster: Cluster;
  containerd: TestContainerd;
  kubelet: Kubelet;
  paths: KubeletPaths;
  warnings: string[];
  /** Ends this kubelet, and starts another over what the first one left. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  /** Resolves with the pod as soon as `is` holds of it; rejects where that takes too long. */
  pod(name: string, is: (pod: Pod) => boolean): Promise<Pod>;
  /** Resolves when there is no pod of the name. */
  gone(name: string): Promise<void>;
  exec(containerID: string, command: readonly string[]): Promise<void>;
  /** What a container said, once `is` holds of it: the runtime writes it down a moment after it was said. */
  log(pod: Pod, container: string, is: (text: string) => boolean): Promise<string>;
  /** Resolves when such an event of the pod was told. */
  event(pod: string, reason: string, message: string): Promise<void>;
  run(
    name: string,
    spec: Partial<NonNullable<Pod["spec"]>>,
    metadata?: Partial<Pod["metadata"]>,
  ): Promise<Pod>;
}

export interface TestNodeOptions {
  settings?: Partial<KubeletSettings>;
  staticPods?: boolean;
}

const LONGEST = 60_000;

/**
 * What a container does that ends when it is told to, after `last`. Before it is ready it does not: the first process of
 * a container takes no notice of signals that it does not handle yet.
 */
export function endsWhenTold(last = "true"): Pick<Container, "command" | "readinessProbe"> {
  const exec = { command: ["test", "-e", "/tmp/ready"] };
  return {
    command: ["/bin/sh", "-c", `trap '${last}; exit 0' TERM; touch /tmp/ready; sleep 3600 & wait`],
    readinessProbe: { exec, periodSeconds: 1, timeoutSeconds: 60 },
  };
}

export async function startNode(test: TestContext, options: TestNodeOptions = {}): Promise<TestNode> {
  // The kubelet ends before what it works with.
  const t = inReverse(test);
  t.after(() => openCgroupTree()?.remove(CGROUP_ROOT));
  const containerd = await startContainerd(t);
  const directory = containerd.directory;
  let transport: Transport | undefined;
  const between = (given: Transport): Transport => {
    transport = given;
    return given;
  };
  // The last that is asked for, of simulated nodes, of which there are none, is the administrator's.
  const controllers = ["*", "-node-lifecycle-controller"];
  const cluster = await startCluster({ controllers, nodes: [], between });
  const user = asUser(transport as unknown as Transport, `system:node:${NODE}`, "system:nodes");
  t.after(() => cluster.stop());
  const { client } = cluster;
  await makeNode(cluster);
  const paths: KubeletPaths = {
    root: join(directory, "kubelet"),
    podLogs: join(directory, "pods"),
    containerLogs: join(directory, "containers"),
    ...(options.staticPods ? { staticPods: join(directory, "manifests") } : {}),
  };
  if (paths.staticPods) await mkdir(paths.staticPods);
  // Volumes of pods belong to other users: they must get through.
  await chmod(directory, 0o755);
  const warnings: string[] = [];
  const start = () => startParts({ user, containerd, paths, options, warnings });
  let parts = await start();
  t.after(() => parts.stop());
  await parts.kubelet.ready;
  const pods = new Informers({ client, clock: systemClock, random: Math.random });
  t.after(() => pods.stop());
  const informer = pods.of(Pod);
  informer.start();
  const node: TestNode = {
    cgroupRoot: CGROUP_ROOT,
    cluster,
    containerd,
    get kubelet() {
      return parts.kubelet;
    },
    paths,
    warnings,
    async restart(meanwhile) {
      await parts.stop();
      await meanwhile?.();
      parts = await start();
      await parts.kubelet.ready;
    },
    pod: (name, is) => {
      const { promise, resolve, reject } = Promise.withResolvers<Pod>();
      let last: Pod | undefined;
      const leave = informer.subscribe(({ now }) => {
        if (now?.metadata.name !== name) return;
        last = now;
        if (is(now)) resolve(now);
      });
      const late = (): void =>
        reject(
          new Error(`${name} never came to it: ${JSON.stringify(last?.status)}\n${warnings.join("\n")}`),
        );
      const timer = setTimeout(late, LONGEST);
      return promise.finally(() => {
        clearTimeout(timer);
        leave();
      });
    },
    gone: async (name) => {
      const left = (): boolean => informer.lister.get("default", name) === undefined;
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(
        () =>
          reject(new Error(`${name} never went: ${JSON.stringify(informer.lister.get("default", name))}`)),
        LONGEST,
      );
      await Promise.race([informer.until(left), promise]).finally(() => clearTimeout(timer));
    },
    async exec(containerId, cmd) {
      const runtime = openContainerRuntime(containerd.socket);
      await runtime.execSync({ containerId, cmd, timeout: 60 }, LONGEST).finally(() => runtime.close());
    },
    async log({ metadata }, container, is) {
      const folder = `${metadata.namespace}_${metadata.name}_${metadata.uid}`;
      const plain = (text: string): string => text.replace(/^\S+ \S+ \S /gm, "");
      return plain(
        await untilText(join(paths.podLogs, folder, container, "0.log"), (text) => is(plain(text))),
      );
    },
    async event(pod, reason, message) {
      const events = pods.of(Event, { fieldSelector: `involvedObject.name=${pod}` });
      events.start();
      const told = (): boolean =>
        events.lister.list().some((event) => event.reason === reason && event.message === message);
      const { promise, reject } = Promise.withResolvers<never>();
      const late = (): void =>
        reject(new Error(JSON.stringify(events.lister.list().map((event) => [event.reason, event.message]))));
      const timer = setTimeout(late, LONGEST);
      await Promise.race([events.until(told), promise]).finally(() => clearTimeout(timer));
    },
    run: (name, spec, metadata = {}) =>
      client.resource(Pod, "default").create({
        metadata: { name, ...metadata },
        spec: {
          nodeName: NODE,
          terminationGracePeriodSeconds: 2,
          automountServiceAccountToken: false,
          containers: [{ name: "main", image: "localhost/busybox:1" }],
          ...spec,
        },
      }),
  };
  return node;
}

interface Places {
  /** Acts as the node. */
  user: Client;
  containerd: TestContainerd;
  paths: KubeletPaths;
  options: TestNodeOptions;
  warnings: string[];
}

async function startParts({ user: client, containerd, paths, options, warnings }: Places) {
  const clock = systemClock;
  const random = Math.random;
  const runtime = openContainerRuntime(containerd.socket);
  const informers = new Informers({ client, clock, random });
  const events = new CoreEventRecorder({ client, component: "kubelet", host: NODE, clock });
  const objects = createPodObjects({ client, clock, random, changed: () => {} });
  const node = { kind: "Node", name: NODE, uid: NODE };
  const garbage = { highThresholdPercent: 100, lowThresholdPercent: 100, minimumAgeMs: 0, maximumAgeMs: 0 };
  const images = createImageManager({
    runtime,
    objects,
    events,
    node,
    clock,
    directory: join(paths.root, "image_manager"),
    imagesOfVolumes: () => imagesOfVolumes(paths.root),
    settings: { maxParallelPulls: 1, garbage, verification: "NeverVerify" },
  });
  const log = (level: string, text: string, facts?: object): void => {
    if (level !== "info") warnings.push(`${text} ${JSON.stringify(facts)}`);
  };
  const imageViews = openImageViews({ socketPath: containerd.socket, clock });
  const volumes = createVolumeManager({
    imageViews,
    root: paths.root,
    nodeName: NODE,
    client,
    informers,
    objects,
    images,
    runtime,
    events,
    clock,
    random,
    log,
  });
  const tree = openCgroupTree();
  if (!tree) throw new Error("no control groups here");
  const cgroups = await startPodCgroups({ tree, driver: "cgroupfs", root: CGROUP_ROOT });
  await volumes.start();
  const resolvConf = join(containerd.directory, "resolv.conf");
  await writeFile(resolvConf, "nameserver 192.0.2.1\nsearch example.org\n");
  const kubelet = startKubelet({
    nodeName: NODE,
    client,
    informers,
    runtime,
    runtimeSocket: containerd.socket,
    objects,
    volumes,
    images,
    cgroups,
    paths,
    hostIPs: () => ["198.18.0.1"],
    settings: {
      clusterDNS: ["10.96.0.10"],
      resolvConf,
      resources: {
        memoryCapacity: totalmem(),
        cgroupVersion: tree.version,
        // Without CAP_SYS_RESOURCE a process cannot be given a lower one than this one has.
        lowestOomScoreAdj: 0,
      },
      ...options.settings,
    },
    events,
    clock,
    random,
    log,
  });
  return {
    kubelet,
    async stop() {
      await kubelet.stop();
      await volumes.stop();
      imageViews.close();
      await objects.stop();
      await informers.stop();
      runtime.close();
    },
  };
}

async function makeNode({ client }: Cluster): Promise<void> {
  const resources = { cpu: "8", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi" };
  const node = await client
    .resource(Node)
    .create({ metadata: { name: NODE, labels: { "kubernetes.io/os": "linux" } } });
  await client.resource(Node).updateStatus({
    ...node,
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
    },
  });
}
