/** The kubelet of a node, put together. */
import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { PROVISIONER, startNodeStorage } from "../../addons/local-path-provisioner/index.ts";
import { VERSION } from "../../apiserver/version.ts";
import { type CgroupTree, openCgroupTree } from "../../host/cgroups/cgroup-tree.ts";
import { systemdSlices } from "../../host/cgroups/slices.ts";
import { runCommand } from "../../host/command.ts";
import { openImageViews } from "../../host/containerd/image-views.ts";
import { inhibitShutdown } from "../../host/logind/inhibitor.ts";
import { openLogind } from "../../host/logind/logind.ts";
import { mayLowerOOMScore } from "../../host/machine/machine.ts";
import { type MachineFacts, readMachineFacts } from "../../host/machine/machine-facts.ts";
import { type EvictionManager, startEvictionManager } from "../../kubelet/eviction/eviction-manager.ts";
import { removeEnded } from "../../kubelet/eviction/remove-ended.ts";
import { reservedForEviction } from "../../kubelet/eviction/thresholds.ts";
import { createImageManager, type KubeletImages } from "../../kubelet/images/image-manager.ts";
import { startKubelet } from "../../kubelet/kubelet.ts";
import type { KubeletSettings } from "../../kubelet/kubelet-options.ts";
import { type KubeletNode, startNode } from "../../kubelet/node/kubelet-node.ts";
import { createPodObjects } from "../../kubelet/objects/pod-objects.ts";
import { cgroupDriverOf } from "../../kubelet/resources/cgroup-driver.ts";
import { type PodCgroups, startPodCgroups } from "../../kubelet/resources/pod-cgroups.ts";
import type { MachineCapacity } from "../../kubelet/resources/reservations.ts";
import { canLimitSwap } from "../../kubelet/resources/swap.ts";
import {
  NOT_ADMITTED,
  NOT_READY,
  type ShutdownManager,
  startShutdownManager,
} from "../../kubelet/shutdown/shutdown-manager.ts";
import { createKubeletMetrics, type KubeletMetrics } from "../../kubelet/stats/kubelet-metrics.ts";
import { createKubeletStats, type KubeletStats, processCount } from "../../kubelet/stats/kubelet-stats.ts";
import { imagesOfVolumes } from "../../kubelet/volumes/image-records.ts";
import { createVolumeManager } from "../../kubelet/volumes/volume-manager.ts";
import { logLine } from "../log.ts";
import {
  configurationInForce,
  evictionSettings,
  imageSettings,
  kubeletPaths,
  limitsOfPods,
  maxPodsOf,
  nodeSettings,
  podsAreLimited,
  reservationsOf,
  resolverSettings,
  seccompDirectory,
  shutdownPeriods,
  sysctlPatterns,
} from "./configured-parts.ts";
import { startNodeServer } from "./kubelet-server.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { NodeParts } from "./node-parts.ts";

const BUILD = {
  git_version: VERSION.gitVersion,
  go_version: VERSION.goVersion,
  major: VERSION.major,
  minor: VERSION.minor,
  platform: VERSION.platform,
};
/** What older nodes cannot do for the pods that want it, by the names that schedulers know. */
const DECLARED_FEATURES = ["GuaranteedQoSPodCPUResize", "RestartAllContainersOnContainerExits"];
/** Of memory that pods are not to use all of: what evicting begins at is left to it. */
const NO_PRESSURE = { memory: false, disk: false, pid: false };

export async function startNodeKubelet(
  parts: NodeParts & Pick<NodeNetwork, "admit">,
): Promise<{ stop(): Promise<void> }> {
  const { run, runtime, client, informers, events, addresses } = parts;
  const { node, clock, board, layout, configuration } = run;
  if (!run.components.has("kubelet")) return { stop: async () => {} };
  board.set("kubelet", "starting");
  await using started = new AsyncDisposableStack();
  const tree = openCgroupTree(clock);
  if (!tree) throw new Error("no control groups are mounted: `kybern doctor` says what helps");
  const machine = await readMachineFacts();
  const { root } = layout.kubelet;
  const random = Math.random;
  const log = logLine;
  const objects = createPodObjects({ client, clock, random, changed: () => {} });
  started.defer(() => objects.stop());
  const images = imagesOf(parts, objects);
  const cgroups = await cgroupsOf(parts, tree, machine);
  const imageViews = openImageViews({ socketPath: runtime.socket, clock });
  started.defer(() => imageViews.close());
  const resolver = await resolverSettings(run);
  const settings = await settingsOf(parts, tree, machine, cgroups.kubepods);
  const volumes = createVolumeManager({
    ...{ root, nodeName: node.name, client, informers, objects, images, runtime: runtime.calls },
    ...{ imageViews, events, clock, random, log },
    localStorage: { provisioner: PROVISIONER, directory: layout.storage },
  });
  started.defer(() => volumes.stop());
  await volumes.start();
  // It goes by what the pods use, and they by what it says is left.
  let eviction: EvictionManager | undefined;
  let shutdown: ShutdownManager | undefined;
  const kubelet = startKubelet({
    refuses: (pod) => eviction?.refuses(pod),
    closed: () => (shutdown?.isShuttingDown ? NOT_ADMITTED : undefined),
    networked: parts.admit,
    ...{ nodeName: node.name, client, informers, runtime: runtime.calls, runtimeSocket: runtime.socket },
    ...{ objects, volumes, images, cgroups, paths: kubeletPaths(run), hostIPs: addresses },
    ...{ settings: { ...resolver, ...settings }, events, clock, random, log },
  });
  started.defer(() => kubelet.stop());
  const stats = createKubeletStats({
    ...{ nodeName: node.name, machine, tree, cgroups, pods: kubelet.pods, runtime: runtime.calls },
    ...{ paths: layout.kubelet, clock },
  });
  const storageBytes = async (): Promise<number> => {
    const { blocks, bsize } = await statfs(layout.dataDir);
    return blocks * bsize;
  };
  let registration: KubeletNode | undefined;
  const metrics = createKubeletMetrics({ nodeName: node.name, pods: kubelet.pods, build: BUILD });
  eviction = evictionOf(parts, { kubelet, stats, images, machine, metrics }, () => registration?.changed());
  started.defer(() => eviction?.stop());
  const server = await startNodeServer(parts, kubelet, stats, metrics, () =>
    configurationInForce(run, { ...resolver, runtimeSocket: runtime.socket }),
  );
  started.defer(() => server.close());
  registration = startNode({
    // Another name than the machine's stands for it everywhere, as upstream's --hostname-override.
    ...{ nodeName: node.name, hostname: node.name, client, runtime: runtime.calls, machine },
    ...{ addresses, storageBytes, kubeletVersion: VERSION.gitVersion, port: () => server.port },
    ...nodeSettings(configuration),
    maxPods: maxPodsOf(configuration, machine.cores),
    podsAreLimited: podsAreLimited(configuration),
    declaredFeatures: DECLARED_FEATURES,
    reservations: {
      ...reservationsOf(configuration),
      eviction: reservedForEviction(evictionSettings(configuration).thresholds, {
        memory: machine.memoryBytes,
        "ephemeral-storage": await storageBytes(),
      }),
    },
    images: () => images.images(),
    volumesInUse: () => volumes.inUse(),
    pressure: () => eviction?.pressure ?? NO_PRESSURE,
    problems: () => [...kubelet.problems(), ...(shutdown?.isShuttingDown ? [NOT_READY] : [])],
    ...{ events, clock, random, log },
  });
  const registered = registration;
  started.defer(() => registered.stop());
  shutdown = shutdownOf(parts, kubelet, () => registered.changed());
  started.defer(() => shutdown?.stop());
  void Promise.all([registration.registered, kubelet.ready]).then(() => board.set("kubelet", "running"));
  started.defer(collectImages(images, parts));
  const storage = startNodeStorage({
    ...{ nodeName: node.name, directory: layout.storage, client, informers, clock, log },
  });
  started.defer(() => storage.stop());
  const all = started.move();
  return { stop: () => all.disposeAsync() };
}

function imagesOf(
  { run, runtime, events }: NodeParts,
  objects: ReturnType<typeof createPodObjects>,
): KubeletImages {
  const { node, clock, layout } = run;
  return createImageManager({
    ...{ runtime: runtime.calls, objects, events, clock },
    node: { apiVersion: "v1", kind: "Node", name: node.name, uid: node.name },
    directory: join(layout.kubelet.root, "image_manager"),
    imagesOfVolumes: () => imagesOfVolumes(layout.kubelet.root),
    settings: imageSettings(run.configuration),
  });
}

/** Milliseconds, upstream's. */
const IMAGE_PERIOD = 5 * 60_000;

function collectImages(images: KubeletImages, { run }: NodeParts): () => void {
  let cancel = (): void => {};
  const arm = (): void => {
    cancel = run.clock.setTimer(IMAGE_PERIOD, () => {
      images
        .collectGarbage()
        .catch((error: unknown) => logLine("warn", "images could not be removed", { error: String(error) }));
      arm();
    });
  };
  arm();
  return () => cancel();
}

function shutdownOf(
  { run, events }: NodeParts,
  { pods, ready }: ReturnType<typeof startKubelet>,
  changed: () => void,
): ShutdownManager | undefined {
  const { layout, node, clock, configuration } = run;
  const periods = shutdownPeriods(configuration);
  if (periods.length === 0) return undefined;
  return startShutdownManager({
    ...{ periods, pods, podsKnown: ready, changed, events, clock, log: logLine },
    openLogind: (prepareForShutdown) => openLogind({ prepareForShutdown, owner: layout.dataDir }),
    inhibit: () => inhibitShutdown({ who: "kubelet", why: "Kubelet needs time to handle node shutdown" }),
    statePath: join(layout.kubelet.root, "graceful_node_shutdown_state"),
    node: { apiVersion: "v1", kind: "Node", name: node.name, uid: node.name },
  });
}

async function cgroupsOf(
  { run, runtime }: NodeParts,
  tree: CgroupTree,
  machine: MachineFacts,
): Promise<PodCgroups> {
  const driver = run.node.runtimeSocket === undefined ? "cgroupfs" : await cgroupDriverOf(runtime.calls);
  const limits = limitsOfPods(run.configuration, capacityOf(machine));
  return startPodCgroups({
    tree,
    driver,
    root: run.layout.cgroupRoot,
    ...(driver === "systemd" && { slices: systemdSlices(runCommand) }),
    pods: limits.all,
    settings: { ...limits.each, hugepageSizes: hugepageSizes(machine) },
  });
}

function capacityOf({ cores, memoryBytes }: MachineFacts): MachineCapacity {
  return { cores, memoryBytes, processes: processCount()?.most };
}

function hugepageSizes({ hugepages }: MachineFacts): string[] {
  const units = ["KB", "MB", "GB"];
  return [...hugepages.keys()].map((bytes) => {
    const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
    return `${bytes / 1024 ** power}${units[power - 1]}`;
  });
}

async function settingsOf(
  { run }: NodeParts,
  tree: CgroupTree,
  machine: MachineFacts,
  kubepods: string,
): Promise<Partial<KubeletSettings>> {
  const { seccompDefault, cpuCFSQuota } = run.configuration;
  return {
    maxPods: maxPodsOf(run.configuration, machine.cores),
    seccompDefault,
    seccompProfiles: seccompDirectory(run),
    allowedUnsafeSysctls: sysctlPatterns(run.configuration),
    resources: {
      cpuQuota: cpuCFSQuota,
      memoryCapacity: machine.memoryBytes,
      cgroupVersion: tree.version,
      hugepageSizes: hugepageSizes(machine),
      swapLimits: machine.swapBytes > 0 && (await canLimitSwap(tree, kubepods)),
      ...(!(await mayLowerOOMScore()) && { lowestOomScoreAdj: await ownOOMScore() }),
    },
  };
}

async function ownOOMScore(): Promise<number> {
  return Number(await readFile("/proc/self/oom_score_adj", "utf8").catch(() => "0"));
}

function evictionOf(
  { run, runtime, events }: NodeParts,
  of: {
    kubelet: ReturnType<typeof startKubelet>;
    stats: KubeletStats;
    images: KubeletImages;
    machine: MachineFacts;
    metrics: KubeletMetrics;
  },
  changed: () => void,
): EvictionManager {
  return startEvictionManager({
    ...evictionSettings(run.configuration),
    ...{ pods: of.kubelet.pods, stats: of.stats, processes: processCount },
    memoryCapacity: of.machine.memoryBytes,
    allocatableMemory: limitsOfPods(run.configuration, capacityOf(of.machine)).all.memory,
    reclaimDisk: async () => {
      await removeEnded({ pods: of.kubelet.pods, runtime: runtime.calls });
      await of.images.removeUnused();
    },
    evicted: (signal) => of.metrics.evicted(signal),
    ...{ changed, events, clock: run.clock, log: logLine },
  });
}
