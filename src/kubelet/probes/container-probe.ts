/**
 * One probe of one container, for as long as its pod is there. What it finds counts when it was found as often in a row
 * as its threshold says:
 *
 *   container starts → initial delay → ask → ask a period later → … → container ends
 *                                        └ startup succeeded: asks no more
 *                                        └ liveness or startup failed: waits for the next container
 */
import type { Container, Probe } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { ProbeAnswer } from "./run-probe.ts";

export type ProbeType = "startup" | "liveness" | "readiness";

export interface RunningContainer {
  id: string;
  startedAt: number;
  /** What was found of it in a former life of the kubelet; undefined for one that began in this one. */
  before?: boolean;
}

export interface ContainerProbeOptions {
  type: ProbeType;
  container: Container;
  probe: Probe;
  clock: Clock;
  random: () => number;
  ask(probe: Probe, containerID: string): Promise<ProbeAnswer>;
  /** Told of each answer. */
  answered(answer: ProbeAnswer): void;
  /** Told when what counts has changed. */
  changed(): void;
}

export class ContainerProbe {
  readonly #options: ContainerProbeOptions;
  #running: RunningContainer | undefined;
  #mayAsk = false;
  /** What counts now; undefined while nothing was found. */
  #result: boolean | undefined;
  #last: boolean | undefined;
  #inARow = 0;
  #onHold = false;
  #cancel: (() => void) | undefined;
  #asking = false;

  constructor(options: ContainerProbeOptions) {
    this.#options = options;
  }

  /** `mayAsk`: readiness and liveness wait for startup; a pod that ends is not restarted by probes. */
  update(running: RunningContainer | undefined, mayAsk: boolean): void {
    const { probe, clock, random } = this.#options;
    if (running?.id !== this.#running?.id) {
      this.#running = running;
      this.#result = running?.before;
      this.#last = undefined;
      this.#inARow = 0;
      this.#onHold = false;
      this.#disarm();
    }
    this.#mayAsk = mayAsk;
    if (!this.#asks) {
      this.#disarm();
      return;
    }
    if (this.#cancel || this.#asking || !running) return;
    const period = (probe.periodSeconds ?? 10) * 1000;
    const delay = running.startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    // A kubelet that comes back does not ask all its containers at once.
    this.#arm(running.before === undefined ? delay : Math.max(delay, random() * period));
  }

  /** Of the container that runs: undefined while nothing was found. */
  resultOf(containerID: string): boolean | undefined {
    return this.#running?.id === containerID ? this.#result : undefined;
  }

  stop(): void {
    this.#running = undefined;
    this.#disarm();
  }

  get #asks(): boolean {
    const done = this.#options.type === "startup" && this.#result === true;
    return this.#running !== undefined && this.#mayAsk && !this.#onHold && !done;
  }

  #arm(delay: number): void {
    this.#cancel = this.#options.clock.setTimer(Math.max(delay, 0), () => {
      this.#cancel = undefined;
      void this.#ask();
    });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #ask(): Promise<void> {
    const { probe, clock, ask } = this.#options;
    const id = this.#running?.id;
    if (id === undefined || !this.#asks) return;
    const began = clock.elapsed();
    this.#asking = true;
    let answer: ProbeAnswer;
    try {
      answer = await ask(probe, id);
    } finally {
      this.#asking = false;
    }
    if (this.#running?.id === id && this.#asks) {
      this.#enter(answer);
      const period = (probe.periodSeconds ?? 10) * 1000;
      if (this.#asks) this.#arm(began + period - clock.elapsed());
    } else if (this.#running && this.#asks && !this.#cancel) {
      this.update(this.#running, this.#mayAsk);
    }
  }

  #enter(answer: ProbeAnswer): void {
    const { probe, type, answered, changed } = this.#options;
    answered(answer);
    if (answer.result === "unknown") return;
    const success = answer.result !== "failure";
    this.#inARow = success === this.#last ? this.#inARow + 1 : 1;
    this.#last = success;
    const threshold = success ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (this.#inARow < threshold || this.#result === success) return;
    this.#result = success;
    if (!success && type !== "readiness") this.#onHold = true;
    changed();
  }
}
