/**
 * Ends the node's pods in order before the machine is shut down (KEP-2000):
 *
 *             lock held ──▶ logind prepares for a shutdown ──▶ node not ready, no new pods
 *                 ▲                                               │ pods end, a group after the other
 *                 └────── the shutdown was cancelled ◀──── lock released: the machine goes down
 *
 * The lock delays the shutdown, for as long as logind allows at most. Whatever is lost on the way, the bus or logind or
 * the lock, is had again a moment later.
 */
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { ObjectReference, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { wait } from "../../client/wait.ts";
import type { Inhibitor } from "../../host/logind/inhibitor.ts";
import type { Logind } from "../../host/logind/logind.ts";
import { ownGrace } from "../pods/pod-ending.ts";
import type { RunningPods } from "../ports.ts";
import { type ShutdownGroup, type ShutdownPeriod, shutdownGroups, wholeSeconds } from "./periods.ts";
import { readShutdownState, type ShutdownState, writeShutdownState } from "./shutdown-state.ts";

export interface ShutdownOptions {
  periods: readonly ShutdownPeriod[];
  pods: Pick<RunningPods, "list" | "evict" | "told">;
  /** Told of what logind says until it is closed. */
  openLogind(prepareForShutdown: (active: boolean) => void): Promise<Logind>;
  inhibit(): Promise<Inhibitor>;
  /** Resolves when `pods` lists what was there before. */
  podsKnown: Promise<void>;
  /** Where it is remembered that a shutdown is under way. */
  statePath: string;
  /** Whether the node is ready has changed. */
  changed(): void;
  events: EventRecorder;
  /** Which the events are about. */
  node: ObjectReference;
  clock: Clock;
  log(level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>): void;
}

export interface ShutdownManager {
  readonly isShuttingDown: boolean;
  /** Resolves when a shutdown would be delayed, or cannot be. */
  readonly ready: Promise<void>;
  /** Lets the machine go. */
  stop(): Promise<void>;
}

export const NOT_ADMITTED = {
  reason: "NodeShutdown",
  message: "Pod was rejected as the node is shutting down.",
};
export const NOT_READY = "node is shutting down";
const ENDED = {
  reason: "Terminated",
  message: "Pod was terminated in response to imminent node shutdown.",
  disruption: "TerminationByKubelet",
};
const EVENT = "NodeShutdown";

/** Milliseconds. */
const AGAIN = { first: 1000, longest: 30_000 };
/** logind reads its configuration in its own time, and tells nobody. */
const CONFIGURED = { tries: 20, every: 250 };

export function startShutdownManager(options: ShutdownOptions): ShutdownManager {
  const manager = new Manager(options);
  manager.start();
  return manager;
}

class Manager implements ShutdownManager {
  isShuttingDown = false;
  private readonly options: ShutdownOptions;
  private readonly stopping = new AbortController();
  private readonly begun = Promise.withResolvers<void>();
  private running: Promise<void> = Promise.resolve();
  /** What logind says is acted on in the order in which it comes. */
  private acting: Promise<void> = Promise.resolve();
  private lock: Inhibitor | undefined;
  /** Ends the session: the lock was lost. */
  private lost = (): void => {};
  /** Of the shutdown that is under way: aborted when it is cancelled. */
  private ending = new AbortController();
  /** What failed last, of what is tried again. */
  private failure: string | undefined;

  constructor(options: ShutdownOptions) {
    this.options = options;
  }

  get ready(): Promise<void> {
    return this.begun.promise;
  }

  start(): void {
    this.running = this.keep();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.ending.abort();
    await this.running;
    await this.acting;
    await this.release();
  }

  private async keep(): Promise<void> {
    const { signal } = this.stopping;
    let hasWorked = false;
    for (let pause = AGAIN.first; !signal.aborted; ) {
      try {
        await this.session();
        [pause, hasWorked] = [AGAIN.first, true];
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (this.failure !== message) this.warn("pods are not ended before the machine is shut down", error);
        this.failure = message;
        this.begun.resolve();
        // Without a bus, or the program that holds locks, this is no machine of systemd's.
        if (code === "ENOENT" && !hasWorked) return;
        pause = Math.min(pause * 2, AGAIN.longest);
      }
      await wait(this.options.clock, pause, signal);
    }
  }

  /** From a connection to its end. */
  private async session(): Promise<void> {
    const lost = new Promise<void>((resolve) => {
      this.lost = resolve;
    });
    const logind = await this.options.openLogind((active) => this.hear(active));
    try {
      await this.allowDelay(logind);
      // What was said while nobody listened.
      if (await logind.isPreparingForShutdown()) this.later(() => this.goOn());
      else if (this.isShuttingDown) this.hear(false);
      else await this.inTurn(() => this.hold());
      this.failure = undefined;
      this.begun.resolve();
      await Promise.race([logind.gone, lost, aborted(this.stopping.signal)]);
    } finally {
      logind.close();
    }
  }

  private async allowDelay(logind: Logind): Promise<void> {
    const { periods, clock } = this.options;
    const wanted = wholeSeconds(periods);
    if ((await logind.longestDelay()) >= wanted * 1000) return;
    await logind.allowDelay(wanted * 1000);
    for (let tries = 0; tries < CONFIGURED.tries; tries++) {
      if ((await logind.longestDelay()) >= wanted * 1000) return;
      await wait(clock, CONFIGURED.every, this.stopping.signal);
    }
    const now = (await logind.longestDelay()) / 1000;
    throw new Error(
      `node shutdown manager was unable to update logind InhibitDelayMaxSec to ${wanted}s (ShutdownGracePeriod), current value of InhibitDelayMaxSec (${now}s) is less than requested ShutdownGracePeriod`,
    );
  }

  private hear(active: boolean): void {
    // Pods whose turn has not come are left alone.
    if (!active) this.ending.abort();
    this.later(() => (active ? this.shutDown(this.options.clock.now()) : this.cancelled()));
  }

  private async goOn(): Promise<void> {
    if (this.isShuttingDown) return;
    const state = await readShutdownState(this.options.statePath);
    const before = state && state.ended === undefined ? state.began : undefined;
    await this.shutDown(before ?? this.options.clock.now());
  }

  /** `began`: from when on the time counts. */
  private async shutDown(began: number): Promise<void> {
    if (this.isShuttingDown) return;
    const { periods, podsKnown, pods, clock, log } = this.options;
    this.ending = new AbortController();
    if (this.stopping.signal.aborted) return;
    this.become(true, "Shutdown manager detected shutdown event");
    await this.remember({ began });
    await podsKnown;
    const last = began + wholeSeconds(periods) * 1000;
    const active = pods.list().filter((pod) => !hasPodEnded(pod));
    log("info", "the machine is about to be shut down: pods are ended", { pods: active.length });
    for (const group of shutdownGroups(periods, active)) {
      if (this.ending.signal.aborted) break;
      await this.end(group, Math.max(0, Math.min(group.seconds * 1000, last - clock.now())));
    }
    // Whoever is started next goes on.
    if (this.stopping.signal.aborted) return;
    await this.remember({ began, ended: clock.now() });
    if (this.ending.signal.aborted) return;
    await this.release();
    log("info", "the machine may be shut down");
  }

  /** Resolves when all are gone, or their time is over. */
  private async end({ pods: members }: ShutdownGroup, ms: number): Promise<void> {
    const { pods, clock } = this.options;
    const gone = new AbortController();
    const end = async (pod: Pod): Promise<void> => {
      const graceSeconds = Math.min(ownGrace(pod), Math.floor(ms / 1000));
      const uid = pod.metadata.uid ?? "";
      await pods.evict(uid, { ...ENDED, graceSeconds });
      await pods.told(uid);
    };
    const all = Promise.all(members.map(end)).catch((error: unknown) =>
      this.warn("a pod could not be ended before the machine is shut down", error),
    );
    if (ms === 0) return;
    await Promise.race([all, wait(clock, ms, AbortSignal.any([gone.signal, this.ending.signal]))]);
    gone.abort();
  }

  private async cancelled(): Promise<void> {
    if (this.isShuttingDown) this.become(false, "Shutdown manager detected shutdown cancellation");
    await this.hold();
  }

  private become(isShuttingDown: boolean, note: string): void {
    const { events, node, changed } = this.options;
    this.isShuttingDown = isShuttingDown;
    events.record(node, "Normal", EVENT, note);
    changed();
  }

  private async remember(state: ShutdownState): Promise<void> {
    await writeShutdownState(this.options.statePath, state).catch((error: unknown) =>
      this.warn("a shutdown of the machine could not be remembered", error),
    );
  }

  /** The new lock is held before the old one goes. */
  private async hold(): Promise<void> {
    const before = this.lock;
    const lock = await this.options.inhibit();
    this.lock = lock;
    void lock.released.then(() => {
      if (this.lock === lock) this.lost();
    });
    await before?.release();
  }

  private async release(): Promise<void> {
    const { lock } = this;
    this.lock = undefined;
    await lock?.release();
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.acting.then(work);
    this.acting = done.catch(() => {});
    return done;
  }

  private later(work: () => Promise<void>): void {
    this.inTurn(work).catch((error: unknown) =>
      this.warn("what was said of a shutdown of the machine could not be acted on", error),
    );
  }

  private warn(text: string, error: unknown): void {
    if (this.stopping.signal.aborted) return;
    this.options.log("warn", text, { error: error instanceof Error ? error.message : String(error) });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
