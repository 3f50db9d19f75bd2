/**
 * Whether the container runtime works. It tells nothing by itself: it is asked every five seconds. Meanwhile the parts of
 * the kubelet go on; the node tells that it is not ready.
 */
import type { Clock } from "../../base/clock.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { StatusResponse, VersionResponse } from "../runtime/cri/runtime.ts";

const PERIOD = 5000;
/** While something is wrong it is asked sooner, and ever more seldom: a node that starts is not to wait for its network. */
const SOONEST = 50;
/** Milliseconds for which an answer holds. */
const HOLDS = 30_000;
/** Milliseconds to answer in. */
const TIMEOUT = 10_000;

export interface RuntimeHealthOptions {
  runtime: Pick<ContainerRuntime, "status" | "version">;
  clock: Clock;
  /** Told when anything of what this knows is another than before. */
  changed(): void;
}

export class RuntimeHealth {
  private readonly options: RuntimeHealthOptions;
  private cancel: (() => void) | undefined;
  private answeredAt: number | undefined;
  private status: StatusResponse | undefined;
  private told = "";
  private stopped = false;
  private next = SOONEST;
  /** As `containerd://1.6.20`; empty until the runtime told it. */
  version = "";

  constructor(options: RuntimeHealthOptions) {
    this.options = options;
  }

  /** Resolves when the runtime was asked once. */
  start(): Promise<void> {
    return this.ask();
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  /** What is wrong with the runtime itself, in the order told; empty where nothing is. */
  get errors(): string[] {
    if (this.answeredAt === undefined) return ["container runtime status check may not have completed yet"];
    if (this.options.clock.elapsed() - this.answeredAt >= HOLDS) return ["container runtime is down"];
    const wrong = this.conditionError("RuntimeReady");
    return wrong === undefined ? [] : [`container runtime not ready: ${wrong}`];
  }

  /** What is wrong with the network of pods. */
  get networkError(): string | undefined {
    const wrong = this.conditionError("NetworkReady");
    return wrong === undefined ? undefined : `container runtime network not ready: ${wrong}`;
  }

  get handlers(): StatusResponse["runtimeHandlers"] {
    return this.status?.runtimeHandlers ?? [];
  }

  get features(): StatusResponse["features"] {
    return this.status?.features;
  }

  private conditionError(type: string): string | undefined {
    if (this.status === undefined) return type === "NetworkReady" ? "network state unknown" : undefined;
    const found = this.status.status?.conditions.find((condition) => condition.type === type);
    if (found === undefined) return `runtime status has no ${type}`;
    if (found.status) return undefined;
    return `${type}=false reason:${found.reason} message:${found.message}`;
  }

  private async ask(): Promise<void> {
    const { runtime, clock, changed } = this.options;
    try {
      this.status = await runtime.status({}, TIMEOUT);
      // Another one may have been installed while the old one was away.
      if (this.version === "") this.version = versionOf(await runtime.version({}, TIMEOUT));
      this.answeredAt = clock.elapsed();
    } catch {
      this.version = "";
    }
    if (this.stopped) return;
    const isWrong = this.errors.length > 0 || this.networkError !== undefined;
    this.next = isWrong ? Math.min(this.next * 2, PERIOD) : SOONEST;
    this.cancel = clock.setTimer(isWrong ? this.next : PERIOD, () => void this.ask());
    const told = JSON.stringify([this.errors, this.networkError, this.version, this.handlers]);
    if (told === this.told) return;
    this.told = told;
    changed();
  }
}

function versionOf({ runtimeName, runtimeVersion }: VersionResponse): string {
  return `${runtimeName}://${runtimeVersion}`;
}
