/**
 * Brings a table of nftables to what is wanted, whenever something changed: at once where it was quiet, else so often and
 * no more, so that a storm of changes becomes a few transactions. What fails is tried again, ever later.
 *
 *   idle ──wake──▶ running ──done──▶ idle          (a wake while it runs: again, after the period)
 *                     └─────failed──▶ waiting ──▶ running
 */
import type { Clock } from "../base/clock.ts";
import { Backoff } from "../client/backoff.ts";
import type { OwnedTable } from "../host/nftables/owned-table.ts";

export interface TableSyncOptions {
  table: OwnedTable;
  clock: Clock;
  random: () => number;
  /** Milliseconds between transactions, once BURST came together. */
  minPeriod: number;
  /** Milliseconds after which the table is looked for. */
  checkPeriod: number;
  /** Claims what is wanted now, of what changed since it was last called. */
  plan: () => Promise<void>;
  /** The kernel has it; `whole`: the table was made anew. Awaited before the next transaction. */
  done: (whole: boolean) => Promise<void>;
  failed: (error: unknown, attempt: number) => void;
  /** The table was removed or replaced by somebody else. */
  lost: () => void;
}

const BURST = 2;
const FIRST_RETRY = 200;
const LONGEST_RETRY = 30_000;

export class TableSync {
  private readonly options: TableSyncOptions;
  private readonly backoff: Backoff;
  private asked = 0;
  private reached = 0;
  private attempt = 0;
  private tokens = BURST;
  private refilled: number;
  private running: Promise<void> | undefined;
  private cancelTimer: (() => void) | undefined;
  private cancelCheck: (() => void) | undefined;
  private stopped = false;
  private waiters: { target: number; resolve: () => void }[] = [];

  constructor(options: TableSyncOptions) {
    this.options = options;
    this.refilled = options.clock.elapsed();
    this.backoff = new Backoff({ first: FIRST_RETRY, longest: LONGEST_RETRY, jitter: 0.2 }, options.random);
  }

  wake(): void {
    this.asked++;
    if (this.attempt === 0) this.arm();
  }

  /** Resolves when all that was asked for before is in the kernel; never once it is stopped. */
  settled(): Promise<void> {
    if (this.reached === this.asked) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ target: this.asked, resolve }));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    this.cancelCheck?.();
    await this.running;
  }

  /** Starts as soon as it may; what else happens in this turn of the event loop goes with it. */
  private arm(): void {
    if (this.running || this.cancelTimer || this.stopped) return;
    const { clock, minPeriod } = this.options;
    this.refill();
    this.after(this.tokens > 0 ? 0 : this.refilled + minPeriod - clock.elapsed());
  }

  private refill(): void {
    const { clock, minPeriod } = this.options;
    const passed = Math.floor((clock.elapsed() - this.refilled) / minPeriod);
    if (passed <= 0) return;
    this.tokens = Math.min(BURST, this.tokens + passed);
    this.refilled += passed * minPeriod;
  }

  private after(ms: number): void {
    this.cancelCheck?.();
    this.cancelTimer = this.options.clock.setTimer(ms, () => {
      this.cancelTimer = undefined;
      if (!this.stopped) this.running = this.run();
    });
  }

  private async run(): Promise<void> {
    const { table, plan, done, failed } = this.options;
    const target = this.asked;
    this.refill();
    this.tokens = Math.max(0, this.tokens - 1);
    try {
      await plan();
      await done(await table.sync());
      this.attempt = 0;
      this.backoff.reset();
      this.arrive(target);
    } catch (error) {
      this.attempt++;
      failed(error, this.attempt);
    }
    this.running = undefined;
    if (this.stopped) return;
    if (this.attempt > 0) this.after(this.backoff.next());
    else if (this.reached < this.asked) this.arm();
    else this.watchTable();
  }

  private arrive(target: number): void {
    this.reached = target;
    const left = this.waiters.filter((waiter) => waiter.target > target);
    const arrived = this.waiters.filter((waiter) => waiter.target <= target);
    this.waiters = left;
    for (const { resolve } of arrived) resolve();
  }

  /** Nothing tells of a table that somebody removed, so it is looked for now and then. */
  private watchTable(): void {
    const { clock, checkPeriod } = this.options;
    this.cancelCheck = clock.setTimer(checkPeriod, () => {
      this.running = this.check();
    });
  }

  private async check(): Promise<void> {
    const { table, lost, failed } = this.options;
    try {
      if (!(await table.isOurs())) {
        lost();
        table.distrust();
        this.asked++;
      }
    } catch (error) {
      failed(error, 1);
    }
    this.running = undefined;
    if (this.stopped) return;
    if (this.reached < this.asked) this.arm();
    else this.watchTable();
  }
}
