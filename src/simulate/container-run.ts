/**
 * One simulated container:
 *
 *   waiting ──▶ running ⇄ (ready, not ready) ──▶ terminated ──▶ done
 *      ▲                                              │
 *      └──────────── CrashLoopBackOff ◀───────────────┘ its restart policy says so
 */
import type { ContainerState, ContainerStatus } from "../api/schema/core.v1.generated.ts";
import type { Random } from "../base/random.ts";
import { formatTime } from "../machinery/time/time.ts";
import { drawn, drawnExit, type PodBehaviour } from "./stage.ts";

export type RestartPolicy = "Always" | "OnFailure" | "Never";

interface Waiting {
  is: "waiting";
  reason: string;
  message?: string;
  /** When it starts by itself; never where somebody else decides that. */
  until: number;
}

interface Running {
  is: "running";
  since: number;
  ready: boolean;
  /** When it becomes ready, or ceases to be. */
  flipAt: number;
  exitAt: number;
  code: number;
}

interface Terminated {
  is: "terminated";
  since: number;
  at: number;
  code: number;
}

// The kubelet's figures.
const FIRST_BACKOFF = 10_000;
const LONGEST_BACKOFF = 300_000;
/** A container that ran this long starts anew with its first wait. */
const BACKOFF_RESET = 600_000;

const NEVER = Number.POSITIVE_INFINITY;
export const CREATING = "ContainerCreating";
const CRASHED = "CrashLoopBackOff";

export interface ContainerSpec {
  name: string;
  image?: string;
  restartPolicy?: string;
}

export class ContainerRun {
  readonly spec: ContainerSpec;
  readonly policy: RestartPolicy;
  state: Waiting | Running | Terminated = { is: "waiting", reason: CREATING, until: NEVER };
  private readonly behaviour: PodBehaviour;
  private readonly random: Random;
  private last: Terminated | undefined;
  private restarts = 0;
  private backoff = 0;

  constructor(spec: ContainerSpec, policy: RestartPolicy, behaviour: PodBehaviour, random: Random) {
    this.spec = spec;
    this.policy = policy;
    this.behaviour = behaviour;
    this.random = random;
  }

  /** Whether it has ended and will not run again. */
  get ended(): boolean {
    return this.state.is === "terminated";
  }

  get succeeded(): boolean {
    return this.state.is === "terminated" && this.state.code === 0;
  }

  get ready(): boolean {
    return this.state.is === "running" && this.state.ready;
  }

  start(now: number): void {
    const { behaviour, random } = this;
    const { after, code } = drawnExit(behaviour.exit, random);
    const flipAt = now + drawn(behaviour.ready, random);
    this.state = { is: "running", since: now, ready: false, flipAt, exitAt: now + after, code };
    this.flip(this.state, now);
  }

  /** Goes on as a status says that it was, when whoever simulates it was started again. */
  resume(status: ContainerStatus, now: number): void {
    const { running, terminated } = status.state ?? {};
    this.restarts = status.restartCount;
    if (terminated) {
      const { startedAt, finishedAt, exitCode: code } = terminated;
      this.state = { is: "terminated", since: at(startedAt, now), at: at(finishedAt, now), code };
    } else if (running) {
      this.start(now);
      const state = this.state as unknown as Running;
      const since = at(running.startedAt, now);
      state.exitAt = Math.max(now, state.exitAt - now + since);
      state.since = since;
      state.ready = status.ready;
    } else if (status.restartCount > 0) this.wait(now);
  }

  /** What has come to pass by `now`; returns when the next thing will. */
  advance(now: number): number {
    const { state } = this;
    if (state.is === "waiting") {
      if (now < state.until) return state.until;
      this.restarts++;
      this.start(now);
      return this.advance(now);
    }
    if (state.is === "terminated") return NEVER;
    if (now >= state.exitAt) {
      this.exit(state.code, now);
      return this.advance(now);
    }
    this.flip(state, now);
    return Math.min(state.exitAt, state.flipAt);
  }

  /** Its node ends it; it does not come back. */
  kill(code: number, now: number): void {
    const { state } = this;
    if (state.is === "terminated") return;
    this.state = { is: "terminated", since: state.is === "running" ? state.since : now, at: now, code };
  }

  private exit(code: number, now: number): void {
    const { since } = this.state as Running;
    this.state = { is: "terminated", since, at: now, code };
    if (this.policy === "Never" || (this.policy === "OnFailure" && code === 0)) return;
    this.last = this.state;
    if (now - since >= BACKOFF_RESET) this.backoff = 0;
    this.wait(now);
  }

  /** The first restart comes at once, as with the kubelet; each later one after twice the wait. */
  private wait(now: number): void {
    const wait = this.backoff;
    this.backoff = wait === 0 ? FIRST_BACKOFF : Math.min(wait * 2, LONGEST_BACKOFF);
    const message = `back-off ${humanSeconds(wait)} restarting failed container=${this.spec.name}`;
    this.state = { is: "waiting", reason: CRASHED, message, until: now + wait };
  }

  private flip(state: Running, now: number): void {
    const { unready } = this.behaviour;
    while (now >= state.flipAt) {
      state.ready = !state.ready;
      if (!unready) state.flipAt = NEVER;
      else state.flipAt = now + Math.max(1, drawn(state.ready ? unready.every : unready.for, this.random));
    }
  }

  /** `init` containers are ready by being done. */
  status(init: boolean, pod: string): ContainerStatus {
    const { spec, state } = this;
    const image = spec.image ?? "";
    const id = `containerd://${idOf(`${pod}/${spec.name}/${this.restarts}`)}`;
    const hasRun = state.is !== "waiting" || this.restarts > 0;
    const sidecar = init && this.policy === "Always";
    return {
      name: spec.name,
      image,
      imageID: hasRun ? `${image}@sha256:${idOf(image)}` : "",
      ...(hasRun ? { containerID: id } : {}),
      restartCount: this.restarts,
      ready: init && !sidecar ? this.succeeded : this.ready,
      started: state.is === "running",
      state: this.shown(pod, id),
      lastState: this.last ? { terminated: shownEnd(this.last, id) } : {},
    };
  }

  private shown(pod: string, id: string): ContainerState {
    const { state } = this;
    if (state.is === "running") return { running: { startedAt: formatTime(state.since) } };
    if (state.is === "terminated") return { terminated: shownEnd(state, id) };
    const { reason, message } = state;
    if (message === undefined) return { waiting: { reason } };
    const crashed = reason === CRASHED;
    return { waiting: { reason, message: crashed ? `${message} pod=${pod}` : message } };
  }
}

function shownEnd({ since, at, code }: Terminated, containerID: string) {
  return {
    exitCode: code,
    reason: code === 0 ? "Completed" : "Error",
    startedAt: formatTime(since),
    finishedAt: formatTime(at),
    containerID,
  };
}

function at(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Date.parse(text);
}

/** As Go prints a duration of whole seconds. */
function humanSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** 64 hexadecimal digits that are the same for the same text, as an image's or container's id looks. */
function idOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0").repeat(4);
}
