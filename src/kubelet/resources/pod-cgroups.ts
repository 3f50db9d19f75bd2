/**
 * The control groups of pods, one for each, in the group of its class:
 *
 *   kubepods                    what pods may use of the machine, all together
 *   ├── pod<uid>                guaranteed pods
 *   ├── burstable               as much CPU in a crowd as its pods ask for
 *   │   └── pod<uid>
 *   └── besteffort              what nobody else uses
 *       └── pod<uid>
 */
import { type QOSClass, qosClassOf } from "../../api/core/pod/qos.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { CgroupTree } from "../../host/cgroups/cgroup-tree.ts";
import type { Slices } from "../../host/cgroups/slices.ts";
import { type PodCgroups as PodCgroupsPort, PodError } from "../ports.ts";
import { MIN_SHARES, QUOTA_PERIOD, sharesOf, sharesOfWeight, weightOf } from "./cpu.ts";
import { filesOf, type GroupLimits, type PodLimitSettings, podGroupLimits } from "./group-limits.ts";
import { type CgroupDriver, GroupNames } from "./group-names.ts";
import { milliOf, podRequests } from "./pod-resources.ts";

export interface PodCgroupsOptions {
  tree: CgroupTree;
  driver: CgroupDriver;
  /** Upstream's --cgroup-root. */
  root?: string;
  /** Needed by the driver systemd. */
  slices?: Slices;
  /** What all pods together may use: the machine less what is reserved. */
  pods?: GroupLimits;
  settings?: PodLimitSettings;
}

export interface PodCgroups extends PodCgroupsPort {
  /** The path of the group of all pods in the tree. */
  readonly kubepods: string;
  /** The path of the pod's group in the tree, where it has one. */
  pathOf(podUID: string): string | undefined;
  /** What all pods together may use from now on. */
  limit(pods: GroupLimits): Promise<void>;
}

interface PodGroup {
  path: string;
  qos: QOSClass;
  milliCPU: number;
  /** What it was told, as text, and when that is done. */
  told: string;
  made: Promise<void>;
}

const CLASSES: readonly QOSClass[] = ["Guaranteed", "Burstable", "BestEffort"];

/** Makes the groups of the classes. */
export async function startPodCgroups(options: PodCgroupsOptions): Promise<PodCgroups> {
  const cgroups = new QOSCgroups(options);
  await cgroups.start();
  return cgroups;
}

class QOSCgroups implements PodCgroups {
  private readonly options: PodCgroupsOptions;
  private readonly tree: CgroupTree;
  private readonly names: GroupNames;
  private readonly groups = new Map<string, PodGroup>();
  private burstableShares: number | undefined;
  private sharing: Promise<void> = Promise.resolve();

  constructor(options: PodCgroupsOptions) {
    this.options = options;
    this.tree = options.tree;
    this.names = new GroupNames(options.driver, options.root);
  }

  get kubepods(): string {
    return this.names.kubepods;
  }

  async start(): Promise<void> {
    await this.limit(this.options.pods ?? {});
    const burstable = this.names.ofClass("Burstable");
    await Promise.all([
      // Pods of a former life may count on the shares that it has.
      this.tree.exists(burstable) ? undefined : this.make(burstable, { cpuShares: MIN_SHARES }),
      this.make(this.names.ofClass("BestEffort"), { cpuShares: MIN_SHARES }),
    ]);
    await this.adopt();
  }

  /** Those of a former life, which nobody asks for again while they run. */
  private async adopt(): Promise<void> {
    for (const qos of CLASSES) {
      const above = this.names.ofClass(qos);
      for (const name of await this.tree.children(above)) {
        const uid = this.names.podOf(name);
        if (uid === undefined) continue;
        const path = `${above}/${name}`;
        const milliCPU = qos === "Burstable" ? await this.milliCPUOf(path) : 0;
        this.groups.set(uid, { path, qos, milliCPU, told: "", made: Promise.resolve() });
      }
    }
  }

  /** What the pod asked for, from what it got. */
  private async milliCPUOf(path: string): Promise<number> {
    const isFirst = this.tree.version === 1;
    const given = Number(await this.tree.read(path, isFirst ? "cpu.shares" : "cpu.weight"));
    const shares = isFirst ? given : sharesOfWeight(given);
    return shares > MIN_SHARES ? Math.ceil((shares * 1000) / 1024) : 0;
  }

  limit(pods: GroupLimits): Promise<void> {
    return this.make(this.kubepods, pods);
  }

  pathOf(podUID: string): string | undefined {
    return this.groups.get(podUID)?.path;
  }

  async ensure(pod: Pod): Promise<string> {
    const uid = pod.metadata.uid ?? "";
    const qos = (pod.status?.qosClass as QOSClass | undefined) ?? qosClassOf(pod.spec!);
    const path = this.names.ofPod(qos, uid);
    const limits = podGroupLimits(pod, this.options.settings);
    const told = JSON.stringify([limits, ...(limits.hugepages ?? [])]);
    let group = this.groups.get(uid);
    if (group?.told !== told || !this.tree.exists(path)) {
      const milliCPU = milliOf(podRequests(pod), "cpu");
      group = { path, qos, milliCPU, told, made: Promise.resolve() };
      this.groups.set(uid, group);
      const shared = qos === "Burstable" ? this.shareCPU() : undefined;
      group.made = Promise.all([this.make(path, limits), shared]).then(() => {});
    }
    try {
      await group.made;
    } catch (error) {
      if (this.groups.get(uid) === group) this.groups.delete(uid);
      const what = `[${path.split("/").filter(Boolean).join(" ")}]`;
      const why = error instanceof Error ? error.message : String(error);
      throw new PodError(
        "FailedToCreatePodContainer",
        `unable to ensure pod container exists: failed to create container for ${what} : ${why}`,
        error,
      );
    }
    return this.names.parentOf(path);
  }

  async remove(podUID: string): Promise<void> {
    const known = this.groups.get(podUID);
    const paths = known ? [known.path] : CLASSES.map((qos) => this.names.ofPod(qos, podUID));
    await Promise.all(paths.map((path) => this.destroy(path)));
    this.groups.delete(podUID);
    if (known?.qos === "Burstable") await this.shareCPU();
  }

  async podUIDs(): Promise<readonly string[]> {
    const found = await Promise.all(CLASSES.map((qos) => this.tree.children(this.names.ofClass(qos))));
    return found.flat().flatMap((name) => this.names.podOf(name) ?? []);
  }

  /** In a crowd, the burstable pods together get what they ask for together. One write at a time: the last holds. */
  private shareCPU(): Promise<void> {
    const shared = this.sharing.then(async () => {
      let milli = 0;
      for (const { qos, milliCPU } of this.groups.values()) if (qos === "Burstable") milli += milliCPU;
      const cpuShares = sharesOf(milli);
      if (cpuShares === this.burstableShares) return;
      await this.make(this.names.ofClass("Burstable"), { cpuShares });
      this.burstableShares = cpuShares;
    });
    this.sharing = shared.catch(() => {});
    return shared;
  }

  private async make(path: string, limits: GroupLimits): Promise<void> {
    const { slices } = this.options;
    if (slices && this.names.driver === "systemd") {
      await slices.ensure(this.names.parentOf(path), sliceLimits(limits));
      // systemd knows no huge pages.
      await this.write(path, limits.hugepages ? { hugepages: limits.hugepages } : {});
      return;
    }
    if (this.tree.exists(path)) {
      await this.write(path, limits);
      return;
    }
    await this.tree.create(path);
    for (const [file, value] of filesOf(limits, this.tree.version)) this.tree.writeNow(path, file, value);
  }

  private async write(path: string, limits: GroupLimits): Promise<void> {
    for (const [file, value] of filesOf(limits, this.tree.version)) await this.tree.write(path, file, value);
  }

  private async destroy(path: string): Promise<void> {
    const { slices } = this.options;
    if (slices && this.names.driver === "systemd") {
      const name = this.names.parentOf(path);
      if (this.tree.exists(path)) await slices.stop(name);
    }
    await this.tree.remove(path);
  }
}

function sliceLimits({ cpuShares, cpuQuota, cpuPeriod = QUOTA_PERIOD, memory, pids }: GroupLimits) {
  return {
    cpuWeight: cpuShares === undefined ? undefined : weightOf(cpuShares),
    cpuQuota,
    cpuPeriod,
    memory,
    tasks: pids,
  };
}
