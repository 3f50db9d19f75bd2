/** Whether the proxy does its work, for load balancers and for whoever restarts it: upstream's /healthz and /livez. */
import type { Clock } from "../../base/clock.ts";

/** Upstream: twice the sync period. Changes that wait longer for the kernel mean that it is stuck. */
const HEALTHY_WITHIN = 60_000;
/** The autoscaler's mark of a node that it takes away. */
const DELETION_CANDIDATE = "ToBeDeletedByClusterAutoscaler";

export interface NodeState {
  deletionTimestamp?: string | undefined;
  taints?: readonly { key: string }[] | undefined;
}

export class ProxyHealth {
  private readonly clock: Clock;
  private lastUpdated: number;
  private oldestQueued: number | undefined;
  nodeEligible = true;

  constructor(clock: Clock) {
    this.clock = clock;
    this.lastUpdated = clock.now();
    // Until the first rules are in the kernel the proxy is as good as stuck once the time is over.
    this.oldestQueued = this.lastUpdated;
  }

  queued(): void {
    this.oldestQueued ??= this.clock.now();
  }

  /** What was queued is in the kernel, but for what came later than `waitingSince`. */
  updated(waitingSince?: number): void {
    this.oldestQueued = waitingSince;
    this.lastUpdated = this.clock.now();
  }

  get healthy(): boolean {
    return this.oldestQueued === undefined || this.clock.now() - this.oldestQueued < HEALTHY_WITHIN;
  }

  see({ deletionTimestamp, taints = [] }: NodeState): void {
    this.nodeEligible = !deletionTimestamp && !taints.some(({ key }) => key === DELETION_CANDIDATE);
  }

  /** /healthz tells load balancers of a node that is about to go; /livez does not, as a restart would not help. */
  answer(path: "/healthz" | "/livez"): { code: number; body: string } {
    const { clock, healthy, nodeEligible } = this;
    const code = healthy && (path === "/livez" || nodeEligible) ? 200 : 503;
    const now = clock.now();
    // A healthy proxy without changes is up to date.
    const updated = healthy ? now : this.lastUpdated;
    const body = `{"lastUpdated": "${goTime(updated)}","currentTime": "${goTime(now)}", "nodeEligible": ${nodeEligible}}`;
    return { code, body };
  }
}

/** As Go prints a time: `2006-01-02 15:04:05.999 +0000 UTC`. */
function goTime(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().slice(0, -1).split("T");
  return `${date} ${time} +0000 UTC`;
}
