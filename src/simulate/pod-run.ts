/**
 * One simulated pod, from the moment that its node sees it. It knows no clock: `advance` says what has come to pass by a
 * time, and when the next thing will.
 *
 *   Pending ── start ──▶ init containers, one by one ──▶ Running ──▶ Succeeded or Failed
 */
import type { Pod } from "../api/schema/core.v1.generated.ts";
import type { Random } from "../base/random.ts";
import { ContainerRun, CREATING, type RestartPolicy } from "./container-run.ts";
import { drawn, type PodBehaviour } from "./stage.ts";

const NEVER = Number.POSITIVE_INFINITY;
/** Of a process that does not stop when it is told to. */
const KILLED = 137;

export class PodRun {
  readonly behaviour: PodBehaviour;
  readonly init: readonly ContainerRun[];
  readonly main: readonly ContainerRun[];
  phase: "Pending" | "Running" | "Succeeded" | "Failed" = "Pending";
  /** Why it failed, where that is not its containers' doing. */
  reason: string | undefined;
  message: string | undefined;
  /** When the node took it. */
  readonly seenAt: number;
  private readonly startAt: number;
  private readonly deadline: number;
  private readonly random: Random;
  /** How many init containers are done, or run beside the others. */
  private initialized = 0;

  constructor(pod: Pod, behaviour: PodBehaviour, random: Random, now: number) {
    this.behaviour = behaviour;
    this.random = random;
    const { containers = [], initContainers = [], restartPolicy, activeDeadlineSeconds } = pod.spec ?? {};
    const policy = (restartPolicy ?? "Always") as RestartPolicy;
    const once = policy === "Always" ? "OnFailure" : policy;
    const initializing = { exit: { after: behaviour.initialize ?? 0 } };
    this.init = initContainers.map((spec) =>
      spec.restartPolicy === "Always"
        ? new ContainerRun(spec, "Always", { ...behaviour, exit: undefined }, random)
        : new ContainerRun(spec, once, initializing, random),
    );
    this.main = containers.map((spec) => new ContainerRun(spec, policy, behaviour, random));
    const { startTime } = pod.status ?? {};
    this.seenAt = startTime === undefined ? now : Date.parse(startTime);
    this.startAt = this.seenAt + drawn(behaviour.start, random);
    this.deadline = activeDeadlineSeconds === undefined ? NEVER : this.seenAt + activeDeadlineSeconds * 1000;
    this.wait();
    this.resume(pod, now);
  }

  get ended(): boolean {
    return this.phase === "Succeeded" || this.phase === "Failed";
  }

  /** Whether sandbox and network are there. */
  get sandboxed(): boolean {
    return !this.ended && (this.phase === "Running" || this.init.some(({ state }) => state.is !== "waiting"));
  }

  get isInitialized(): boolean {
    return this.initialized === this.init.length;
  }

  /** What has come to pass by `now`; returns when the next thing will. */
  advance(now: number): number {
    if (this.ended) return NEVER;
    if (now >= this.deadline) {
      this.fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline", now);
      return NEVER;
    }
    if (now < this.startAt) return Math.min(this.startAt, this.deadline);
    const initialized = this.initialize(now);
    if (!this.isInitialized || this.ended) return Math.min(initialized, this.deadline);
    if (this.phase === "Pending") {
      this.phase = "Running";
      for (const container of this.main) container.start(now);
    }
    let next = Math.min(initialized, this.deadline);
    for (const container of this.main) next = Math.min(next, container.advance(now));
    this.conclude(now);
    return this.ended ? NEVER : next;
  }

  /** Milliseconds that its containers take to stop, of the grace that they are given. */
  stopTime(grace: number): number {
    return Math.min(drawn(this.behaviour.terminate, this.random), grace);
  }

  /** Stops its containers; `inTime`: they ended by themselves when they were told to. */
  stop(inTime: boolean, now: number): void {
    if (this.ended) return;
    const hadStarted = this.phase === "Running";
    for (const container of [...this.main, ...this.init]) container.kill(inTime ? 0 : KILLED, now);
    this.phase = hadStarted && this.main.every(({ succeeded }) => succeeded) ? "Succeeded" : "Failed";
  }

  private fail(reason: string, message: string, now: number): void {
    for (const container of [...this.main, ...this.init]) container.kill(KILLED, now);
    this.phase = "Failed";
    this.reason = reason;
    this.message = message;
  }

  /** What the containers say until they start. */
  private wait(): void {
    const stuck = this.behaviour.start === "never";
    for (const [i, container] of [...this.init, ...this.main].entries()) {
      const { image = "" } = container.spec;
      const first = i === 0 || this.init.length === 0;
      if (stuck && first) {
        const message = `Back-off pulling image "${image}"`;
        container.state = { is: "waiting", reason: "ImagePullBackOff", message, until: NEVER };
      } else {
        const reason = this.init.length === 0 ? CREATING : "PodInitializing";
        container.state = { is: "waiting", reason, until: NEVER };
      }
    }
  }

  private initialize(now: number): number {
    let next = NEVER;
    for (const [i, container] of this.init.entries()) {
      if (i > this.initialized) break;
      const { state } = container;
      if (i === this.initialized && state.is === "waiting" && state.until === NEVER) container.start(now);
      next = Math.min(next, container.advance(now));
      if (i < this.initialized) continue;
      const sidecar = container.policy === "Always";
      if (sidecar ? container.state.is === "running" : container.succeeded) this.initialized++;
      else if (container.ended) {
        this.phase = "Failed";
        return NEVER;
      }
    }
    return next;
  }

  private conclude(now: number): void {
    if (this.main.length === 0 || !this.main.every(({ ended }) => ended)) return;
    for (const container of this.init) container.kill(0, now);
    this.phase = this.main.every(({ succeeded }) => succeeded) ? "Succeeded" : "Failed";
  }

  /** Takes up what its status says, where another simulation began it. */
  private resume({ status }: Pod, now: number): void {
    const { phase = "Pending" } = status ?? {};
    if (phase === "Pending") return;
    this.phase = phase as PodRun["phase"];
    for (const [containers, statuses = []] of [
      [this.init, status?.initContainerStatuses],
      [this.main, status?.containerStatuses],
    ] as const) {
      for (const container of containers) {
        const known = statuses.find(({ name }) => name === container.spec.name);
        if (known) container.resume(known, now);
      }
    }
    this.initialized = this.init.length;
    this.reason = status?.reason;
    this.message = status?.message;
  }
}
