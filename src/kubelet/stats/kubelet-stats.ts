/** What the kubelet's server tells of usage, and what eviction goes by. */
import { readFileSync } from "node:fs";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { CgroupTree } from "../../host/cgroups/cgroup-tree.ts";
import type { Detail } from "../../host/cgroups/cgroup-usage.ts";
import type { MachineFacts } from "../../host/machine/machine-facts.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { KubeletPaths, RunningPods } from "../ports.ts";
import type { PodCgroups } from "../resources/pod-cgroups.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import { CPURates } from "./cpu-rates.ts";
import { type FileSystem, fileSystem } from "./disk-usage.ts";
import { type Disks, makeSummary } from "./make-summary.ts";
import { type Group, groupAt, idOf, type Picture, takePicture, wholeMachine } from "./picture.ts";
import { claimOf, PodDisks } from "./pod-disks.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import type { ContainerStats, Summary } from "./summary.ts";
import { volumeMetrics } from "./volume-metrics.ts";

/** Figures are read when they are asked for, and kept for some seconds. */
export interface KubeletStats {
  /** For /stats/summary; `onlyCPUAndMemory` leaves out file systems and networks, which cost more to ask. */
  summary(onlyCPUAndMemory?: boolean): Promise<Summary>;
  /** For /metrics/resource: CPU and memory of node, pods and containers, in Prometheus' text form. */
  resourceMetrics(): Promise<string>;
  /** For /metrics/cadvisor: all that the kernel counts of control groups, in Prometheus' text form. */
  cadvisorMetrics(): Promise<string>;
  /** A part of /metrics: what is left on the volumes of claims. */
  volumeMetrics(): Promise<string>;
  /** What is used now, for eviction. */
  picture(): Promise<Picture>;
  /** Of all of the machine, and of all pods, without waiting. */
  whole(): { node: Group; kubepods: Group };
  /** What `pods` take up on the disks. */
  disks(pods: readonly Pod[]): Promise<Disks>;
  /** The file systems alone, which are asked fast. */
  fileSystems(): Promise<{ node: FileSystem; images: FileSystem }>;
}

export interface StatsOptions {
  nodeName: string;
  machine: MachineFacts;
  tree: CgroupTree;
  cgroups: Pick<PodCgroups, "kubepods" | "pathOf">;
  pods: Pick<RunningPods, "list" | "sandboxID">;
  runtime: Pick<ContainerRuntime, "imageFsInfo" | "listContainerStats">;
  paths: Pick<KubeletPaths, "root" | "podLogs">;
  clock: Clock;
}

// Milliseconds that an answer holds.
const PICTURE = 1000;
const LAYERS = 10_000;
const IMAGES = 60_000;
/** Looks of groups that were not looked at for so long are forgotten. */
const FORGET = 10 * 60_000;

export function createKubeletStats(options: StatsOptions): KubeletStats {
  return new Stats(options);
}

class Stats implements KubeletStats {
  private readonly options: StatsOptions;
  private readonly rates = new CPURates();
  private readonly podDisks: PodDisks;
  readonly picture: () => Promise<Picture>;
  private readonly usage: () => Promise<Picture>;
  private readonly everything: () => Promise<Picture>;
  private readonly layers: () => Promise<Disks["layers"]>;
  private readonly images: () => Promise<ImageFacts>;

  constructor(options: StatsOptions) {
    this.options = options;
    const now = (): number => options.clock.now();
    this.podDisks = new PodDisks(options.paths, now);
    this.usage = kept(PICTURE, now, () => this.take("usage"));
    this.picture = kept(PICTURE, now, () => this.take("limits"));
    this.everything = kept(PICTURE, now, () => this.take("all"));
    this.layers = kept(LAYERS, now, () => this.readLayers());
    this.images = kept(IMAGES, now, () => this.readImages());
  }

  async summary(onlyCPUAndMemory = false): Promise<Summary> {
    const { machine, nodeName, clock } = this.options;
    const picture = await this.picture();
    const disks = onlyCPUAndMemory ? undefined : await this.disks(picture.pods.map(({ pod }) => pod));
    return makeSummary(
      picture,
      (group) => this.rate(group),
      {
        nodeName,
        bootedAt: machine.bootedAt,
        memoryCapacity: machine.memoryBytes,
        swapCapacity: machine.swapBytes,
        processes: processCount(),
        kubelet: ownStats(this.rates, clock.now()),
      },
      disks,
    );
  }

  async resourceMetrics(): Promise<string> {
    return resourceMetrics(await this.usage(), this.options.machine.swapBytes > 0);
  }

  async cadvisorMetrics(): Promise<string> {
    return cadvisorMetrics(await this.everything(), this.options.machine);
  }

  async volumeMetrics(): Promise<string> {
    const claiming = this.options.pods
      .list()
      .filter(
        (pod) => !hasPodEnded(pod) && pod.spec?.volumes?.some((volume) => claimOf(pod, volume) !== undefined),
      );
    if (claiming.length === 0) return "";
    const all = claiming.map(
      async (pod) => [pod, await this.podDisks.of(pod, (name) => this.rootOf(pod, name))] as const,
    );
    return volumeMetrics(await Promise.all(all));
  }

  whole(): { node: Group; kubepods: Group } {
    const { tree, cgroups, clock } = this.options;
    const now = (): number => clock.now();
    return {
      node: wholeMachine({ tree, now }, "usage"),
      kubepods: groupAt({ tree, now }, cgroups.kubepods, "usage"),
    };
  }

  async fileSystems(): Promise<{ node: FileSystem; images: FileSystem }> {
    const { mountpoint } = await this.images();
    const [node, images] = await Promise.all([
      fileSystem(this.options.paths.root),
      fileSystem(mountpoint).catch(() => undefined),
    ]);
    return { node, images: images ?? node };
  }

  async disks(pods: readonly Pod[]): Promise<Disks> {
    const [systems, layers, { bytes, inodes }, all] = await Promise.all([
      this.fileSystems(),
      this.layers(),
      this.images(),
      Promise.all(
        pods.map(
          async (pod) =>
            [pod.metadata.uid ?? "", await this.podDisks.of(pod, (name) => this.rootOf(pod, name))] as const,
        ),
      ),
    ]);
    this.podDisks.keep(new Set(this.options.pods.list().map(({ metadata }) => metadata.uid ?? "")));
    const at = this.options.clock.now();
    return { at, ...systems, imageBytes: bytes, imageInodes: inodes, layers, pods: new Map(all) };
  }

  /** By one of its processes. */
  private rootOf(pod: Pod, container: string): string | undefined {
    const { tree, cgroups } = this.options;
    const path = cgroups.pathOf(pod.metadata.uid ?? "");
    const { containerID } = pod.status?.containerStatuses?.find(({ name }) => name === container) ?? {};
    if (path === undefined || !containerID) return undefined;
    const directory = tree.childrenNow(path).find((name) => name.includes(idOf(containerID)));
    const pid = directory && tree.readNow(`${path}/${directory}`, "cgroup.procs")?.split("\n")[0];
    return pid ? `/proc/${pid}/root` : undefined;
  }

  private async take(detail: Detail): Promise<Picture> {
    const { tree, pods, cgroups, clock } = this.options;
    const sources = {
      tree,
      pods: () => pods.list(),
      sandboxID: (uid: string) => pods.sandboxID(uid),
      kubepods: cgroups.kubepods,
      pathOf: (uid: string) => cgroups.pathOf(uid),
      now: () => clock.now(),
    };
    const picture = await takePicture(sources, detail);
    for (const group of [picture.node, ...picture.above, ...picture.pods]) this.rate(group);
    for (const { containers } of picture.pods) for (const container of containers) this.rate(container);
    this.rates.forget(clock.now() - FORGET);
    return picture;
  }

  private rate({ path, at, usage }: Group): number | undefined {
    return usage.cpu && this.rates.rate(path, usage.cpu.total, at);
  }

  private async readLayers(): Promise<Disks["layers"]> {
    const { stats } = await this.options.runtime.listContainerStats({});
    return new Map(
      stats.map(({ attributes, writableLayer }) => [
        attributes?.id ?? "",
        { bytes: writableLayer?.usedBytes?.value ?? 0, inodes: writableLayer?.inodesUsed?.value ?? 0 },
      ]),
    );
  }

  private async readImages(): Promise<ImageFacts> {
    const { imageFilesystems } = await this.options.runtime.imageFsInfo({});
    const facts = { mountpoint: "", bytes: 0, inodes: 0 };
    for (const { fsId, usedBytes, inodesUsed } of imageFilesystems) {
      facts.mountpoint ||= fsId?.mountpoint ?? "";
      facts.bytes += usedBytes?.value ?? 0;
      facts.inodes += inodesUsed?.value ?? 0;
    }
    return facts;
  }
}

interface ImageFacts {
  mountpoint: string;
  bytes: number;
  inodes: number;
}

/** Asks once for all who ask within `ms`; what failed is asked again. */
function kept<T>(ms: number, now: () => number, ask: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    if (last && now() - last.at < ms) return last.answer;
    const asked = { at: now(), answer: ask() };
    last = asked;
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
}

/** Of the machine: how many there may be, and how many there are. */
export function processCount(proc = "/proc"): { most: number; current: number } | undefined {
  try {
    const read = (path: string): string => readFileSync(`${proc}/${path}`, "utf8");
    const most = Math.min(Number(read("sys/kernel/pid_max")), Number(read("sys/kernel/threads-max")));
    return { most, current: Number(read("loadavg").split(" ")[3]?.split("/")[1] ?? 0) };
  } catch {
    return undefined;
  }
}

/** All that runs in this process, which may be more than the kubelet. */
function ownStats(rates: CPURates, now: number): ContainerStats {
  const { user, system } = process.cpuUsage();
  const usageCoreNanoSeconds = (user + system) * 1000;
  const usageNanoCores = rates.rate("kubelet", usageCoreNanoSeconds, now);
  const rss = process.memoryUsage.rss();
  const time = formatTime(now);
  return {
    name: "kubelet",
    startTime: formatTime(now - process.uptime() * 1000),
    cpu: { time, ...(usageNanoCores === undefined ? {} : { usageNanoCores }), usageCoreNanoSeconds },
    memory: { time, usageBytes: rss, workingSetBytes: rss, rssBytes: rss },
  };
}
