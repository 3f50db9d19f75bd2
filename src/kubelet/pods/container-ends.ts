/**
 * Tells when a container has ended, logs and all: the runtime's event is the first to say so, its log is whole once the
 * runtime itself calls the container ended, a little later.
 */
import type { Clock } from "../../base/clock.ts";
import { GrpcError } from "../../host/grpc/grpc-client.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { ContainerState } from "../runtime/cri/shared.ts";

/** Milliseconds after an event until the runtime is asked, then twice as long each time, and how long in all. */
const FIRST = 10;
const LONGEST = 10_000;
const NOT_FOUND = 5;

export interface ContainerEndsOptions {
  runtime: Pick<ContainerRuntime, "containerStatus">;
  clock: Clock;
}

export class ContainerEnds {
  readonly #options: ContainerEndsOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** When ends were told of, for those who begin to wait while the runtime does not know yet. */
  readonly #told = new Map<string, number>();

  constructor(options: ContainerEndsOptions) {
    this.#options = options;
  }

  /** Resolves when the container does not run any more, at once where it does not now; rejects when `signal` aborts. */
  of(containerID: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const waiting = this.#waiting.get(containerID) ?? new Set();
      this.#waiting.set(containerID, waiting.add(done));
      signal.addEventListener("abort", aborted, { once: true });
      const { clock } = this.#options;
      const told = this.#told.get(containerID);
      void this.#check(
        containerID,
        told !== undefined && clock.elapsed() - told < LONGEST ? FIRST : undefined,
      );

      function done(): void {
        signal.removeEventListener("abort", aborted);
        resolve();
      }
      function aborted(): void {
        waiting.delete(done);
        reject(signal.reason);
      }
    });
  }

  /** An event says that the container, or one of its processes, has ended. */
  told(containerID: string): void {
    const now = this.#options.clock.elapsed();
    for (const [id, time] of this.#told) if (now - time >= LONGEST) this.#told.delete(id);
    this.#told.set(containerID, now);
    void this.#check(containerID, FIRST);
  }

  /** Events may have been missed. */
  look(): void {
    for (const id of this.#waiting.keys()) void this.#check(id);
  }

  /** `again`: where it still runs, ask once more after so many milliseconds, and so on. */
  async #check(containerID: string, again?: number): Promise<void> {
    const waiting = this.#waiting.get(containerID);
    if (!waiting) return;
    if (waiting.size > 0 && (await this.#runs(containerID))) {
      if (again === undefined || again > LONGEST / 2) return;
      this.#options.clock.setTimer(again, () => void this.#check(containerID, again * 2));
      return;
    }
    this.#waiting.delete(containerID);
    for (const done of waiting) done();
  }

  /** A runtime that does not answer has not said that anything ended. */
  async #runs(containerId: string): Promise<boolean> {
    try {
      const { status } = await this.#options.runtime.containerStatus({ containerId });
      return status?.state === ContainerState.CONTAINER_RUNNING;
    } catch (error) {
      return !(error instanceof GrpcError && error.code === NOT_FOUND);
    }
  }
}
