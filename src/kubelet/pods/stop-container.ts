/**
 * Stops the containers of a pod, each by itself:
 *
 *   preStop hook → wait for those that need it (sidecars) → its stop signal → SIGKILL at its deadline
 *
 * The deadline can be brought forward while it waits: a user who lost patience deletes the pod again.
 */
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { runHook } from "./lifecycle-hook.ts";
import type { PodContext } from "./pod-context.ts";
import { recordOfContainer } from "./pod-events.ts";
import type { ContainerKill } from "./pod-plan.ts";
import { type ContainerRecord, isGone } from "./runtime-state.ts";

/** What every container gets at the least, so that it need not be killed. */
const LEAST_GRACE = 2;
/** What the runtime gets beyond the grace. */
const RUNTIME_TIMEOUT = 2 * 60_000;

const RETRY = 1000;

interface Stop {
  deadline: number;
  /** Wakes whoever waits for the deadline. */
  hurry: () => void;
  done: Promise<void>;
}

export interface StopRequest {
  pod: Pod;
  kill: ContainerKill;
  graceSeconds: number;
  podIP: string;
  /** Resolves when those that need the container are gone. */
  turn?: Promise<unknown>;
}

export class ContainerStops {
  readonly #context: PodContext;
  readonly #stops = new Map<string, Stop>();
  readonly #ended: () => void;

  /** `ended` is called when one has been stopped, or could not be. */
  constructor(context: PodContext, ended: () => void) {
    this.#context = context;
    this.#ended = ended;
  }

  /** Ids of those that are being stopped. */
  get ids(): ReadonlySet<string> {
    return new Set(this.#stops.keys());
  }

  /** Resolves when the container is stopped, or could not be; begins at once, or brings the deadline forward. */
  stop(request: StopRequest): Promise<void> {
    const { record } = request.kill;
    const deadline = this.#context.clock.elapsed() + request.graceSeconds * 1000;
    const known = this.#stops.get(record.id);
    if (known) {
      if (deadline < known.deadline) {
        known.deadline = deadline;
        known.hurry();
      }
      return known.done;
    }
    const stop: Stop = { deadline, hurry: () => {}, done: Promise.resolve() };
    this.#stops.set(record.id, stop);
    stop.done = this.#run(stop, request)
      .catch((error: unknown) => this.#failed(request, error))
      .finally(() => {
        this.#stops.delete(record.id);
        this.#ended();
      });
    return stop.done;
  }

  async #run(stop: Stop, { pod, kill, podIP, turn }: StopRequest): Promise<void> {
    const { record, container, message } = kill;
    const context = this.#context;
    const named = container ?? { name: record.name };
    recordOfContainer(context, pod, named, "Normal", "Killing", message);
    if (stop.deadline > context.clock.elapsed()) {
      await this.#beforeDeadline(stop, this.#preStop(pod, container, record, podIP));
    }
    if (turn) await this.#beforeDeadline(stop, turn);
    const ended = this.#stopInRuntime(record.id, this.#secondsLeft(stop));
    for (let over = false; !over; ) {
      const before = stop.deadline;
      over = await Promise.race([ended.then(() => true), this.#hurried(stop).then(() => false)]);
      if (!over && stop.deadline < before) {
        this.#stopInRuntime(record.id, this.#secondsLeft(stop)).catch(() => {});
      }
    }
  }

  async #stopInRuntime(containerId: string, timeout: number): Promise<void> {
    try {
      await this.#context.runtime.stopContainer({ containerId, timeout }, timeout * 1000 + RUNTIME_TIMEOUT);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #secondsLeft({ deadline }: Stop): number {
    return Math.max(LEAST_GRACE, Math.ceil((deadline - this.#context.clock.elapsed()) / 1000));
  }

  async #preStop(pod: Pod, container: Container | undefined, record: ContainerRecord, podIP: string) {
    const hook = container ? container.lifecycle?.preStop : record.preStop;
    if (!hook) return;
    const of = container ?? { name: record.name };
    try {
      await runHook(this.#context, { container: of, containerID: record.id, podIP }, hook);
    } catch {
      recordOfContainer(this.#context, pod, of, "Warning", "FailedPreStopHook", "PreStopHook failed");
    }
  }

  /** Resolves with `work`, or at the deadline, however it moves. */
  async #beforeDeadline(stop: Stop, work: Promise<unknown>): Promise<void> {
    const { clock } = this.#context;
    for (let over = false; !over && stop.deadline > clock.elapsed(); ) {
      const late = Promise.withResolvers<boolean>();
      const cancel = clock.setTimer(stop.deadline - clock.elapsed(), () => late.resolve(true));
      over = await Promise.race([
        work.then(() => true),
        late.promise,
        this.#hurried(stop).then(() => false),
      ]).finally(cancel);
    }
  }

  #hurried(stop: Stop): Promise<void> {
    return new Promise((resolve) => {
      stop.hurry = resolve;
    });
  }

  async #failed({ pod, kill }: StopRequest, error: unknown): Promise<void> {
    const { namespace, name } = pod.metadata;
    const facts = { pod: `${namespace}/${name}`, container: kill.record.name, error: rpcErrorText(error) };
    this.#context.log("warn", "a container could not be stopped", facts);
    // Whoever wants it stopped tries again as soon as this one is over.
    await new Promise<void>((resolve) => this.#context.clock.setTimer(RETRY, resolve));
  }
}
