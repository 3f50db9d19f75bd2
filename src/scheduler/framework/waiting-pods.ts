/** Pods that have a node and wait for leave to be bound to it (the permit extension point). */
import type { Clock } from "../../base/clock.ts";
import type { WaitingPods } from "./plugin.ts";
import { type Rejection, reject } from "./rejection.ts";

interface Waiting {
  /** Plugins that have not let it go on, with how to end their time limit. */
  pending: Map<string, () => void>;
  settle: (rejection: Rejection | undefined) => void;
}

/** Upstream's longest wait. */
const LONGEST = 15 * 60_000;

export class PermitWaits implements WaitingPods {
  private readonly clock: Clock;
  /** By uid. */
  private readonly waiting = new Map<string, Waiting>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Resolves when every plugin has let the pod go on, or with the first that refuses it or waited too long. */
  wait(uid: string, plugins: ReadonlyMap<string, number>): Promise<Rejection | undefined> {
    return new Promise((settle) => {
      const pending = new Map<string, () => void>();
      this.waiting.set(uid, { pending, settle });
      for (const [plugin, asked] of plugins) {
        const ms = Math.min(asked, LONGEST);
        const late = `rejected due to timeout after waiting ${ms / 1000}s at plugin ${plugin}`;
        pending.set(
          plugin,
          this.clock.setTimer(ms, () => this.refuse(uid, plugin, late)),
        );
      }
    });
  }

  allow(uid: string, plugin: string): void {
    const pod = this.waiting.get(uid);
    pod?.pending.get(plugin)?.();
    pod?.pending.delete(plugin);
    if (pod?.pending.size === 0) this.end(uid, undefined);
  }

  refuse(uid: string, plugin: string, reason: string): void {
    this.end(uid, reject(plugin, "unschedulable", reason));
  }

  /** Refuses all: the scheduler stops. */
  close(): void {
    for (const uid of [...this.waiting.keys()]) this.refuse(uid, "", "the scheduler stops");
  }

  private end(uid: string, rejection: Rejection | undefined): void {
    const pod = this.waiting.get(uid);
    if (!pod) return;
    this.waiting.delete(uid);
    for (const cancel of pod.pending.values()) cancel();
    pod.settle(rejection);
  }
}
