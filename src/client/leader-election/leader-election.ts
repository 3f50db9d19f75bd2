/**
 * One of many, by a Lease (upstream: client-go/tools/leaderelection):
 *
 *   wait ──▶ nobody holds the lease, or it ran out ──▶ take it ──▶ lead ──▶ renew every retryPeriod ──┐
 *    ▲                                                               │ ◀──────────────────────────────┘
 *    └──────────────── lost: not renewed for renewDeadline, or another has it ─────────────────────────┘
 *
 * A lease runs out by what this process has seen of it: its clock need not agree with that of the holder. What leads is
 * stopped before the lease runs out for others, for renewDeadline is shorter than leaseDuration.
 */
import { Lease } from "../../api/coordination/lease.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../backoff.ts";
import type { Client } from "../client.ts";
import { microsecondsOf } from "../events/event-name.ts";
import type { EventRecorder } from "../events/event-recorder.ts";
import { isReason } from "../status.ts";
import { wait } from "../wait.ts";

export interface LeaderElectionOptions {
  client: Client;
  namespace: string;
  /** Of the lease, such as `kube-scheduler`. */
  name: string;
  /** This candidate's; no two may share one. */
  identity: string;
  clock: Clock;
  random: Random;
  events?: EventRecorder;
  /** Milliseconds; upstream's defaults are 15, 10 and 2 seconds. */
  leaseDuration?: number;
  renewDeadline?: number;
  retryPeriod?: number;
  /** Told of each change of this candidate's part. */
  leading?: (leads: boolean) => void;
  /** Told of each renewal that must read the lease first. */
  slow?: () => void;
  failed?: (error: unknown) => void;
}

const DEFAULTS = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };
/** Waits of those who do not lead are up to this much longer, so that they do not meet. */
const JITTER = 1.2;

export class LeaderElection {
  private readonly options: LeaderElectionOptions & typeof DEFAULTS;
  /** The lease as last seen, and when by this process' clock. */
  private seen: Lease | undefined;
  private seenAt = 0;

  constructor(options: LeaderElectionOptions) {
    this.options = { ...DEFAULTS, ...options };
  }

  /**
   * Runs until `signal` is aborted. Each time this candidate becomes the leader, `lead` is called; its own signal is
   * aborted when it is the leader no more, and it must end soon after. Then the lease is given back.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, leading } = this.options;
    while (!signal.aborted) {
      if (!(await this.take(signal))) {
        await wait(clock, this.pause(), signal);
        continue;
      }
      const losing = new AbortController();
      const stop = (): void => losing.abort();
      signal.addEventListener("abort", stop, { once: true });
      leading?.(true);
      this.tell("became leader");
      const done = lead(losing.signal);
      await this.keep(losing.signal);
      losing.abort();
      signal.removeEventListener("abort", stop);
      await done;
      this.tell("stopped leading");
      leading?.(false);
      await this.release();
    }
  }

  /** Milliseconds to the next try: not beyond the end of another's lease, as far as this process has seen of it. */
  private pause(): number {
    const { clock, random, retryPeriod } = this.options;
    const pause = retryPeriod * (1 + JITTER * random());
    if (!this.isOthers()) return pause;
    const end = this.seenAt + (this.seen?.spec?.leaseDurationSeconds ?? 0) * 1000 - clock.elapsed();
    return end > 0 ? Math.min(pause, end) : pause;
  }

  /** Renews until the lease is lost or `signal` is aborted. */
  private async keep(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriod, renewDeadline, slow } = this.options;
    let renewed = clock.elapsed();
    while (!signal.aborted) {
      await wait(clock, retryPeriod, signal);
      if (signal.aborted) return;
      const late = new AbortController();
      const cancel = clock.setTimer(renewed + renewDeadline - clock.elapsed(), () => late.abort());
      if (!this.isOwn()) slow?.();
      const taken = await this.take(AbortSignal.any([signal, late.signal]));
      cancel();
      if (taken) renewed = clock.elapsed();
      else if (this.isOthers() || clock.elapsed() - renewed >= renewDeadline) return;
    }
  }

  private isOwn(): boolean {
    return this.seen?.spec?.holderIdentity === this.options.identity;
  }

  private isOthers(): boolean {
    const holder = this.seen?.spec?.holderIdentity;
    return holder !== undefined && holder !== "" && holder !== this.options.identity;
  }

  /** Takes or renews the lease, once. */
  private async take(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity, clock, leaseDuration, failed } = this.options;
    const leases = client.resource(Lease, namespace);
    const now = microsecondsOf(clock.now());
    const own = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      renewTime: now,
    };
    try {
      let lease: Lease;
      try {
        // Whoever holds it is nearly always the last to have written it.
        const known = this.isOwn() ? this.seen : undefined;
        lease = known ?? (await leases.get(name, { signal }));
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
        const spec = { ...own, acquireTime: now, leaseTransitions: 0 };
        this.see(await leases.create({ metadata: { name, namespace }, spec }, { signal }));
        return true;
      }
      this.see(lease);
      const holder = lease.spec?.holderIdentity ?? "";
      const duration = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
      if (holder !== "" && holder !== identity && clock.elapsed() < this.seenAt + duration) return false;
      const { leaseTransitions = 0, acquireTime } = lease.spec ?? {};
      const spec =
        holder === identity
          ? { ...lease.spec, ...own, acquireTime, leaseTransitions }
          : { ...lease.spec, ...own, acquireTime: now, leaseTransitions: leaseTransitions + 1 };
      this.see(await leases.update({ ...lease, spec }, { signal }));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // What was believed of the lease may be old.
      this.forget();
      if (!isReason(error, "Conflict", "AlreadyExists")) failed?.(error);
      return false;
    }
  }

  /** Lets the next one lead at once. */
  private async release(): Promise<void> {
    const { client, namespace, identity, failed } = this.options;
    const lease = this.seen;
    if (lease?.spec?.holderIdentity !== identity) return;
    const now = microsecondsOf(this.options.clock.now());
    const { leaseTransitions } = lease.spec;
    const spec = { leaseDurationSeconds: 1, renewTime: now, acquireTime: now, leaseTransitions };
    this.forget();
    try {
      await client.resource(Lease, namespace).update({ ...lease, spec });
    } catch (error) {
      if (!isReason(error, "Conflict", "NotFound")) failed?.(error);
    }
  }

  private see(lease: Lease): void {
    if (lease.metadata.resourceVersion === this.seen?.metadata.resourceVersion) return;
    this.seen = lease;
    this.seenAt = this.options.clock.elapsed();
  }

  /** Keeps when it was last seen to change, for others' leases run out by that. */
  private forget(): void {
    if (!this.isOthers()) this.seen = undefined;
  }

  private tell(what: string): void {
    const { events, namespace, name, identity } = this.options;
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace, name };
    events?.record(lease, "Normal", "LeaderElection", `${identity} ${what}`);
  }
}
