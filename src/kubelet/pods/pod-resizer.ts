/** Grants one pod other resources while it runs, and has them take effect. See resize.ts for the decisions. */
import type { Node } from "../../api/core/node.ts";
import type { Finding } from "../../api/core/pod/node-conditions.ts";
import type { Pod, ResourceRequirements } from "../../api/schema/core.v1.generated.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { containerResources } from "../resources/container-resources.ts";
import type { PodContext } from "./pod-context.ts";
import { recordOfPod } from "./pod-events.ts";
import type { ContainerKill } from "./pod-plan.ts";
import {
  type Change,
  differs,
  equalResources,
  grows,
  needsRestart,
  POD,
  pendingResize,
  resizable,
  toldAllocation,
  unactuated,
  wantedResources,
  withAllocation,
} from "./resize.ts";
import type { ContainerRecord, PodRuntime } from "./runtime-state.ts";

export interface ResizeContext extends PodContext {
  node(): Node | undefined;
  /** The other pods of the node, with what they were granted. */
  others(uid: string): readonly Pod[];
}

const RETRY = 10_000;

export class PodResizer {
  readonly #context: ResizeContext;
  /** Wakes the pod's worker. */
  readonly #changed: () => void;
  #allocation: Map<string, ResourceRequirements>;
  /** What containers run with, by their ids. */
  readonly #actual = new Map<string, ResourceRequirements>();
  /** What the pod's own group was given. */
  #actualPod: ResourceRequirements | undefined;
  #pending: Finding | undefined;
  #inProgress = false;
  #error: string | undefined;
  #retryAt = 0;
  #running = false;

  constructor(context: ResizeContext, pod: Pod, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
    this.#allocation = toldAllocation(pod);
    this.#actualPod = this.#allocation.get(POD);
  }

  /** The pod with what it was granted. */
  granted(pod: Pod): Pod {
    return withAllocation(pod, this.#allocation);
  }

  actualOf(containerID: string): ResourceRequirements | undefined {
    return this.#actual.get(containerID);
  }

  /** What all its containers together run with, where the pod says something of it. */
  get actualPod(): ResourceRequirements | undefined {
    return this.#actualPod;
  }

  /** Whether it waits for others to leave room. */
  get isDeferred(): boolean {
    return this.#pending?.reason === "Deferred";
  }

  get conditions(): Finding[] {
    const found = this.#pending ? [this.#pending] : [];
    if (!this.#inProgress) return found;
    const failure = this.#error === undefined ? {} : { reason: "Error", message: this.#error };
    return [...found, { type: "PodResizeInProgress", status: true, ...failure }];
  }

  /** When a failed change is tried again. */
  get wakeAt(): number | undefined {
    return this.#error === undefined ? undefined : this.#retryAt;
  }

  /** Decides, begins what is to be done, and returns the containers that must be restarted for it. */
  look(pod: Pod, runtime: PodRuntime): ContainerKill[] {
    const running = runtime.containers.filter(({ state }) => state === "running");
    this.#enterNew(running);
    const wanted = wantedResources(pod);
    // A container that was added in the meantime is granted what it wants: ephemeral ones want nothing.
    if (!differs(wanted, this.#allocation)) this.#pending = undefined;
    else this.#decide(pod, wanted);
    const podChanges = !equalResources(this.#actualPod, this.#allocation.get(POD));
    const changes = unactuated(this.granted(pod), running, this.#actual, podChanges);
    if (changes.length === 0 && !podChanges) {
      if (this.#inProgress && !this.#running) this.#completed(pod);
      return [];
    }
    this.#inProgress = true;
    const restarts = changes.filter(({ container, before }) => needsRestart(container, before));
    const updates = changes.filter((change) => !restarts.includes(change));
    const isDue = !this.#running && this.#context.clock.now() >= this.#retryAt;
    if (isDue && (updates.length > 0 || podChanges)) {
      this.#running = true;
      void this.#update(this.granted(pod), updates);
    }
    return restarts.map(({ record, container }) => ({
      record,
      container,
      message: `Container ${container.name} resize requires restart`,
    }));
  }

  #enterNew(running: readonly ContainerRecord[]): void {
    for (const id of this.#actual.keys()) {
      if (!running.some((record) => record.id === id)) this.#actual.delete(id);
    }
    for (const { id, name } of running) {
      const resources = this.#allocation.get(name);
      if (resources && !this.#actual.has(id)) this.#actual.set(id, resources);
    }
  }

  #decide(pod: Pod, wanted: Map<string, ResourceRequirements>): void {
    const { settings } = this.#context;
    const others = this.#context.others(pod.metadata.uid ?? "");
    const pending = pendingResize(pod, { node: this.#context.node(), others, maxPods: settings.maxPods });
    if (pending && pending.message !== this.#pending?.message) {
      const reason = `Resize${pending.reason}`;
      recordOfPod(this.#context, pod, "Warning", reason, `Pod resize ${pending.reason}: ${pending.message}`);
    }
    this.#pending = pending;
    if (pending) return;
    this.#allocation = wanted;
    this.#retryAt = 0;
    this.#error = undefined;
    this.#inProgress = true;
    recordOfPod(this.#context, pod, "Normal", "ResizeStarted", `Pod resize started: ${this.#told(pod)}`);
  }

  #completed(pod: Pod): void {
    this.#inProgress = false;
    this.#error = undefined;
    recordOfPod(this.#context, pod, "Normal", "ResizeCompleted", `Pod resize completed: ${this.#told(pod)}`);
  }

  #told(pod: Pod): string {
    const containers = resizable(pod).map(({ name }) => ({ name, resources: this.#allocation.get(name) }));
    return JSON.stringify({ containers, generation: pod.metadata.generation });
  }

  /** The pod's group must be the larger at any time: it grows before its containers, and shrinks after them. */
  async #update(pod: Pod, changes: readonly Change[]): Promise<void> {
    const { cgroups, runtime, settings, clock } = this.#context;
    const ofPod = pod.spec?.resources;
    const isGrowing = ({ container, before }: Change): boolean => grows(before, container.resources);
    try {
      if (changes.some(isGrowing) || grows(this.#actualPod, ofPod)) {
        // Where one resource grows and another shrinks, the kernel may refuse the latter before the containers did: it is set
        // again below, where a refusal counts.
        await cgroups.ensure(pod).catch(() => {});
      }
      const growing = changes.filter(isGrowing);
      for (const { record, container } of [
        ...changes.filter((change) => !growing.includes(change)),
        ...growing,
      ]) {
        const { oomScoreAdj: _, ...linux } = containerResources(pod, container, settings.resources);
        await runtime.updateContainerResources({ containerId: record.id, linux });
        this.#actual.set(record.id, container.resources ?? {});
      }
      await cgroups.ensure(pod);
      this.#actualPod = ofPod;
      this.#error = undefined;
    } catch (error) {
      const message = rpcErrorText(error);
      if (message !== this.#error) recordOfPod(this.#context, pod, "Warning", "ResizeError", message);
      this.#error = message;
      this.#retryAt = clock.now() + RETRY;
    } finally {
      this.#running = false;
      this.#changed();
    }
  }
}
