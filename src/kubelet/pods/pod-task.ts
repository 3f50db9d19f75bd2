/** What the parts of a pod's worker share: the pod, what runs of it, and what becomes of steps that fail. */
import { podCondition } from "../../api/core/pod/state.ts";
import type { Pod, PodStatus } from "../../api/schema/core.v1.generated.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { podAddresses } from "../status/pod-status.ts";
import { uidOf } from "./pod-name.ts";
import type { ContainerKill, Waiting } from "./pod-plan.ts";
import { Retry } from "./retry.ts";
import type { RuntimeChange } from "./runtime-events.ts";
import { RuntimeView } from "./runtime-view.ts";
import { ContainerStops } from "./stop-container.ts";
import type { WorkerContext } from "./worker-context.ts";

export class PodTask {
  readonly context: WorkerContext;
  readonly uid: string;
  readonly view: RuntimeView;
  readonly stops: ContainerStops;
  /** Of whatever failed of the pod. */
  readonly retry: Retry;
  /** Why containers cannot start, by their names. */
  readonly waiting = new Map<string, Waiting>();
  /** As it is wanted now. */
  pod: Pod;
  /** As it was told last. */
  status: PodStatus;
  /** Whether its volumes were there once. */
  mounted: boolean;
  /** Whether all its containers are being restarted in place. */
  restartingAll: boolean;
  readonly #wake: () => void;
  /** What was logged last. */
  #told: string | undefined;

  /** `runs`: whether the runtime may have something of the pod already. */
  constructor(context: WorkerContext, pod: Pod, runs: boolean, wake: () => void) {
    this.context = context;
    this.uid = uidOf(pod);
    this.pod = pod;
    this.status = pod.status ?? {};
    // A former kubelet may have begun.
    this.mounted = podCondition(pod, "PodReadyToStartContainers")?.status === "True";
    this.restartingAll = podCondition(pod, "AllContainersRestarting")?.status === "True";
    this.#wake = wake;
    this.retry = new Retry(context.clock);
    this.view = new RuntimeView(context.runtime, this.uid, runs);
    this.stops = new ContainerStops(context, () => this.changed());
  }

  wake(): void {
    this.#wake();
  }

  /** Something of the pod is otherwise in the runtime; where it is known, what became of which. */
  changed(id?: string, what?: RuntimeChange): void {
    this.view.changed(id, what, this.context.clock.now());
    this.wake();
  }

  get ips(): readonly string[] | undefined {
    return this.view.ips(this.pod.spec?.hostNetwork === true);
  }

  /** Where its probes and hooks reach it. */
  get ip(): string {
    return podAddresses(this.pod, { hostIPs: this.context.hostIPs() }, this.ips)[0] ?? "";
  }

  stop(kill: ContainerKill, graceSeconds: number, turn?: Promise<unknown>): Promise<void> {
    const { container, probe } = kill;
    const asked = probe && container?.[`${probe}Probe`]?.terminationGracePeriodSeconds;
    return this.stops.stop({
      pod: this.pod,
      kill,
      graceSeconds: asked ?? graceSeconds,
      podIP: this.ip,
      ...(turn ? { turn } : {}),
    });
  }

  /** What failed is tried again, later each time. */
  fail(text: string, error: unknown): void {
    const { namespace, name } = this.pod.metadata;
    const said = error instanceof Error && error.name !== "GrpcError" ? error.stack : rpcErrorText(error);
    // A runtime that is away is told of once.
    if (said !== this.#told) this.context.log("warn", text, { pod: `${namespace}/${name}`, error: said });
    this.#told = said;
    this.retryLater();
  }

  retryLater(): void {
    this.view.changed();
    this.retry.later();
  }
}
