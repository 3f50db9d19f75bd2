/**
 * Ends pods before the machine runs out of memory, disk or processes, and pods that use more of the disk than they may.
 * The kernel tells none of it: every ten seconds what is left is looked at, which costs some reads of /proc; what single
 * pods use is measured only where somebody must go, or has a limit.
 */

import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Pressure } from "../node/node-conditions.ts";
import type { RunningPods } from "../ports.ts";
import type { KubeletStats } from "../stats/kubelet-stats.ts";
import { nodeLowMessage } from "./messages.ts";
import { hasImageDisk, observe, podUses, storageUse } from "./observe.ts";
import { isMet, NO_PRESSURE, nextPressure, type Observations } from "./pressure.ts";
import { partsOf, rankPods } from "./rank.ts";
import { brokenStorageLimit, hasStorageLimits } from "./storage-limits.ts";
import { RESOURCES, type Threshold } from "./thresholds.ts";

export interface EvictionOptions {
  thresholds: readonly Threshold[];
  pods: RunningPods;
  stats: Pick<KubeletStats, "disks" | "fileSystems" | "picture" | "whole">;
  memoryCapacity: number;
  /** Bytes that pods may use together. */
  allocatableMemory: number;
  processes: () => { most: number; current: number } | undefined;
  /** Removes containers that ended and images that nobody uses. */
  reclaimDisk?: () => Promise<void>;
  /** The node's conditions are other ones than before. */
  changed: () => void;
  /** A pod was ended because of this signal, for figures. */
  evicted?: (signal: string) => void;
  events: EventRecorder;
  clock: Clock;
  /** Milliseconds; upstream's --eviction-pressure-transition-period. */
  transition?: number;
  /** Seconds; upstream's --eviction-max-pod-grace-period. */
  maxGraceSeconds?: number;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface EvictionManager {
  readonly pressure: Pressure;
  /** Looks now. Tests, and whoever knows that something is short. */
  look(): Promise<void>;
  /** Why the pod may not be taken in while something is short; undefined where it may. */
  refuses(pod: Pod): string | undefined;
  stop(): Promise<void>;
}

const PERIOD = 10_000;
const TRANSITION = 5 * 60_000;
/** Seconds that a pod gets that must go at once. */
const AT_ONCE = 1;
const REASON = "Evicted";
const BY_KUBELET = "TerminationByKubelet";
const CRITICAL = 2_000_000_000;

export function startEvictionManager(options: EvictionOptions): EvictionManager {
  const manager = new Manager(options);
  manager.begin();
  return manager;
}

class Manager implements EvictionManager {
  private readonly options: EvictionOptions;
  private state = NO_PRESSURE;
  private looking: Promise<void> | undefined;
  private cancel: (() => void) | undefined;
  private stopped = false;
  pressure: Pressure = { memory: false, disk: false, pid: false };

  constructor(options: EvictionOptions) {
    this.options = options;
  }

  begin(): void {
    void this.look().then(() => {
      if (!this.stopped) this.cancel = this.options.clock.setTimer(PERIOD, () => this.begin());
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.looking;
  }

  look(): Promise<void> {
    this.looking ??= this.lookOnce()
      .catch((error: unknown) => {
        this.options.log?.("warn", "what is left of the machine could not be told", { error: String(error) });
      })
      .finally(() => (this.looking = undefined));
    return this.looking;
  }

  refuses(pod: Pod): string | undefined {
    const { memory, disk, pid } = this.pressure;
    if ((!memory && !disk && !pid) || isCritical(pod)) return undefined;
    if (memory && !disk && !pid) {
      // Who asks for memory has it; who asks for nothing would be the first to go.
      const qos = pod.status?.qosClass ?? "Burstable";
      const tolerates = (pod.spec?.tolerations ?? []).some(
        ({ key, operator, effect }) =>
          (key === undefined || key === ""
            ? operator === "Exists"
            : key === "node.kubernetes.io/memory-pressure") &&
          (effect === undefined || effect === "" || effect === "NoSchedule"),
      );
      if (qos !== "BestEffort" || tolerates) return undefined;
    }
    const conditions = [
      ...(memory ? ["MemoryPressure"] : []),
      ...(disk ? ["DiskPressure"] : []),
      ...(pid ? ["PIDPressure"] : []),
    ];
    return `The node had condition: [${conditions.join(" ")}]. `;
  }

  private async lookOnce(): Promise<void> {
    const { thresholds, clock, transition = TRANSITION, changed } = this.options;
    if (await this.evictOverLimits()) return;
    const observations = await this.observe();
    const { state, pressure, due } = nextPressure(
      this.state,
      thresholds,
      observations,
      clock.elapsed(),
      transition,
    );
    this.state = state;
    const before = this.pressure;
    this.pressure = pressure;
    if (before.memory !== pressure.memory || before.disk !== pressure.disk || before.pid !== pressure.pid)
      changed();
    const [first] = due;
    if (first) await this.relieve(first, observations);
  }

  private async observe(): Promise<Observations> {
    const { stats, memoryCapacity, allocatableMemory, processes } = this.options;
    const fileSystems = await stats.fileSystems();
    return observe({
      ...stats.whole(),
      fileSystems,
      memoryCapacity,
      allocatableMemory,
      processes: processes(),
    });
  }

  private async relieve(threshold: Threshold, observations: Observations): Promise<void> {
    const { reclaimDisk, stats, log } = this.options;
    const resource = RESOURCES[threshold.signal];
    log?.("warn", "something is short on this machine", { signal: threshold.signal });
    const isDisk = resource === "ephemeral-storage" || resource === "inodes";
    const ownDisk = isDisk && hasImageDisk(await stats.fileSystems());
    if (isDisk && reclaimDisk && !(ownDisk && threshold.signal.startsWith("nodefs"))) {
      await reclaimDisk();
      if (!isMet(threshold, await this.observe(), true)) return;
    }
    const active = this.active();
    const picture = await stats.picture();
    const uses = podUses(picture, isDisk ? await stats.disks(active) : undefined);
    for (const pod of rankPods(active, uses, resource, partsOf(threshold.signal, ownDisk))) {
      const message = nodeLowMessage(threshold, observations, uses.get(pod.metadata.uid ?? ""));
      // One at a time: what its end leaves free is seen at the next look.
      if (!(await this.evict(pod, message, this.graceOf(threshold, pod), BY_KUBELET))) continue;
      this.options.evicted?.(threshold.signal);
      return;
    }
    log?.("warn", "no pod can be ended to relieve the machine", { signal: threshold.signal });
  }

  private graceOf({ grace }: Threshold, { spec }: Pod): number {
    if (grace === 0) return AT_ONCE;
    return Math.min(this.options.maxGraceSeconds ?? 0, spec?.terminationGracePeriodSeconds ?? 30);
  }

  /** Whether a pod was ended. */
  private async evictOverLimits(): Promise<boolean> {
    const limited = this.active().filter(hasStorageLimits);
    if (limited.length === 0) return false;
    const { stats } = this.options;
    const [picture, disks] = await Promise.all([stats.picture(), stats.disks(limited)]);
    let evicted = false;
    for (const pod of limited) {
      const use = storageUse(picture, disks, pod.metadata.uid ?? "");
      const broken = use && brokenStorageLimit(pod, use);
      if (!broken || !(await this.evict(pod, broken.message, AT_ONCE))) continue;
      this.options.evicted?.(broken.signal);
      evicted = true;
    }
    return evicted;
  }

  private active(): Pod[] {
    return this.options.pods.list().filter((pod) => !hasPodEnded(pod));
  }

  /** Pods that the system stands on stay. */
  private async evict(
    pod: Pod,
    message: string,
    graceSeconds: number,
    disruption?: string,
  ): Promise<boolean> {
    if (isCritical(pod)) return false;
    const { pods, events } = this.options;
    events.record(pod, "Warning", REASON, message);
    await pods.evict(pod.metadata.uid ?? "", { reason: REASON, message, graceSeconds, disruption });
    return true;
  }
}

const STATIC = "kubernetes.io/config.source";
const MIRROR = "kubernetes.io/config.mirror";

function isCritical({ metadata: { annotations }, spec }: Pod): boolean {
  if ((spec?.priority ?? 0) >= CRITICAL) return true;
  const source = annotations?.[STATIC];
  return annotations?.[MIRROR] !== undefined || (source !== undefined && source !== "api");
}
