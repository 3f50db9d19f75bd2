/** The probes of one pod, and what follows from them. */
import type { Container, ContainerStatus, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { recordOfContainer } from "../pods/pod-events.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import type { ContainerRecord, PodRuntime } from "../pods/runtime-state.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { ContainerProbe, type ProbeType, type RunningContainer } from "./container-probe.ts";
import type { ProbeCounts } from "./probe-counts.ts";
import { type ProbeAnswer, runProbe } from "./run-probe.ts";

export interface PodProbesOptions {
  runtime: Pick<ContainerRuntime, "execSync">;
  events: EventRecorder;
  clock: Clock;
  random: () => number;
  counts: ProbeCounts;
  /** Something follows from what was found: the pod is to be looked at. */
  changed(): void;
}

const TITLES: Readonly<Record<ProbeType, string>> = {
  startup: "Startup",
  liveness: "Liveness",
  readiness: "Readiness",
};
const TYPES = ["startup", "liveness", "readiness"] as const;

export class PodProbes {
  readonly #options: PodProbesOptions;
  readonly #startedAt: number;
  readonly #probes = new Map<string, ContainerProbe>();
  #pod: Pod | undefined;
  #podIP = "";
  /** The name of a container that runs, by its id. */
  #names = new Map<string, string>();

  constructor(options: PodProbesOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** What runs may have changed. `ending`: the pod is on its way out, and only its readiness still counts. */
  update(pod: Pod, runtime: PodRuntime, podIP: string, ending: boolean): void {
    this.#pod = pod;
    this.#podIP = podIP;
    const running = runtime.containers.filter(({ state }) => state === "running");
    this.#names = new Map(running.map(({ id, name }) => [id, name]));
    for (const container of probedContainers(pod)) {
      const record = running.find(({ name }) => name === container.name);
      for (const type of TYPES) this.#updateOne(pod, container, type, record, ending);
    }
  }

  failedProbe(containerID: string): "liveness" | "startup" | undefined {
    if (this.#result(containerID, "startup") === false) return "startup";
    return this.#result(containerID, "liveness") === false ? "liveness" : undefined;
  }

  /** A container without a startup probe has started when it runs. */
  hasStarted(containerID: string): boolean {
    if (!this.#names.has(containerID)) return false;
    return this.#probe(containerID, "startup") === undefined || this.#result(containerID, "startup") === true;
  }

  isReady(containerID: string): boolean {
    if (!this.hasStarted(containerID)) return false;
    return (
      this.#probe(containerID, "readiness") === undefined || this.#result(containerID, "readiness") === true
    );
  }

  stop(): void {
    for (const probe of this.#probes.values()) probe.stop();
    this.#probes.clear();
    this.#names.clear();
  }

  #probe(containerID: string, type: ProbeType): ContainerProbe | undefined {
    return this.#probes.get(keyOf(this.#names.get(containerID) ?? "", type));
  }

  #result(containerID: string, type: ProbeType): boolean | undefined {
    return this.#probe(containerID, type)?.resultOf(containerID);
  }

  #updateOne(
    pod: Pod,
    container: Container,
    type: ProbeType,
    record: ContainerRecord | undefined,
    ending: boolean,
  ): void {
    const key = keyOf(container.name, type);
    const probe = this.#probes.get(key) ?? this.#make(container, type);
    if (!probe) return;
    this.#probes.set(key, probe);
    const mayAsk =
      type === "startup" ? !ending : this.hasStarted(record?.id ?? "") && !(ending && type === "liveness");
    probe.update(record && this.#running(pod, record, type), mayAsk);
  }

  /** Of containers that a former kubelet started, what it told last holds until something else is found. */
  #running(pod: Pod, { id, name, startedAt }: ContainerRecord, type: ProbeType): RunningContainer {
    if (startedAt >= this.#startedAt) return { id, startedAt };
    const told = statusOf(pod, name);
    const same = told?.containerID?.endsWith(id) === true;
    const before = { startup: told?.started === true, readiness: told?.ready === true, liveness: true }[type];
    return { id, startedAt, ...(same && before ? { before } : {}) };
  }

  #make(container: Container, type: ProbeType): ContainerProbe | undefined {
    const probe = container[`${type}Probe`];
    if (!probe) return undefined;
    const { runtime, clock, random, changed } = this.#options;
    return new ContainerProbe({
      type,
      container,
      probe,
      clock,
      random,
      ask: (asked, containerID) => runProbe(runtime, asked, { container, containerID, podIP: this.#podIP }),
      answered: (answer) => this.#answered(container, type, answer),
      changed,
    });
  }

  #answered(container: Container, type: ProbeType, { result, output }: ProbeAnswer): void {
    const pod = this.#pod;
    if (!pod) return;
    this.#options.counts.add(
      pod,
      container.name,
      type,
      result === "warning" ? "successful" : COUNTED[result],
    );
    const say = (reason: string, message: string): void =>
      recordOfContainer(this.#options, pod, container, "Warning", reason, message);
    const title = TITLES[type];
    if (result === "failure") say("Unhealthy", `${title} probe failed: ${output}`);
    if (result === "warning") say("ProbeWarning", `${title} probe warning: ${output}`);
    if (result === "unknown")
      say("Unhealthy", `${title} probe errored and resulted in unknown state: ${output}`);
  }
}

const COUNTED = { success: "successful", failure: "failed", unknown: "unknown" } as const;

function keyOf(container: string, type: ProbeType): string {
  return `${container}/${type}`;
}

function probedContainers({ spec }: Pod): Container[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isSidecar)];
}

function statusOf({ status }: Pod, name: string): ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return all.find((one) => one.name === name);
}
