/** `kubectl get pods`: the columns, and the one word that says how a pod is. */

import { ageSince } from "../../../machinery/time/duration.ts";
import type { Column } from "../../resource.ts";
import type { Container, ContainerStatus, Pod } from "../../schema/core.v1.generated.ts";
import { ageColumn, nameColumn } from "../columns.ts";

interface Summary {
  ready: string;
  status: string;
  restarts: string;
}

/** The three cells come from one walk over the statuses. */
function summaryOf(pod: Pod, now: Date): Summary {
  const walk = new StatusWalk(pod);
  const { restarts, lastRestart } = walk;
  const when = restarts > 0 && lastRestart ? ` (${ageSince(lastRestart, now)} ago)` : "";
  return { ready: `${walk.ready}/${walk.total}`, status: walk.reason, restarts: `${restarts}${when}` };
}

class StatusWalk {
  reason: string;
  restarts = 0;
  lastRestart = "";
  ready = 0;
  total: number;
  private readonly pod: Pod;
  private sidecarRestarts = 0;
  private lastSidecarRestart = "";

  constructor(pod: Pod) {
    this.pod = pod;
    this.total = pod.spec?.containers.length ?? 0;
    for (const container of pod.spec?.initContainers ?? []) if (isSidecar(container)) this.total++;
    this.reason = pod.status?.reason || pod.status?.phase || "";
    const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.reason === "SchedulingGated") this.reason = "SchedulingGated";
    const initializing = this.walkInit();
    if (!initializing || isInitialized(pod)) this.walkContainers();
    if (pod.metadata.deletionTimestamp) this.terminating();
  }

  /** Whether an init container is still to come; sets the reason then. */
  private walkInit(): boolean {
    const { pod } = this;
    const containers = new Map(pod.spec?.initContainers?.map((container) => [container.name, container]));
    const statuses = pod.status?.initContainerStatuses ?? [];
    for (let i = 0; i < statuses.length; i++) {
      const status = statuses[i] as ContainerStatus;
      const sidecar = isSidecar(containers.get(status.name));
      this.count(status, sidecar);
      const { terminated, waiting } = status.state ?? {};
      if (terminated && terminated.exitCode === 0) continue;
      if (sidecar && status.started) {
        if (status.ready) this.ready++;
        continue;
      }
      if (terminated) this.reason = `Init:${endReason(terminated)}`;
      else if (waiting?.reason && waiting.reason !== "PodInitializing")
        this.reason = `Init:${waiting.reason}`;
      else this.reason = `Init:${i}/${pod.spec?.initContainers?.length ?? 0}`;
      return true;
    }
    return false;
  }

  private walkContainers(): void {
    const statuses = this.pod.status?.containerStatuses ?? [];
    this.restarts = this.sidecarRestarts;
    this.lastRestart = this.lastSidecarRestart;
    let running = false;
    for (let i = statuses.length - 1; i >= 0; i--) {
      const status = statuses[i] as ContainerStatus;
      this.count(status, false);
      const { terminated, waiting } = status.state ?? {};
      if (waiting?.reason) this.reason = waiting.reason;
      else if (terminated) this.reason = endReason(terminated);
      else if (status.ready && status.state?.running) {
        running = true;
        this.ready++;
      }
    }
    // One container has ended while others run: the pod as a whole is running.
    if (this.reason === "Completed" && running) {
      const ready = this.pod.status?.conditions?.some(
        ({ type, status }) => type === "Ready" && status === "True",
      );
      this.reason = ready ? "Running" : "NotReady";
    }
  }

  private count(status: ContainerStatus, sidecar: boolean): void {
    const ended = status.lastState?.terminated?.finishedAt ?? "";
    this.restarts += status.restartCount;
    if (ended > this.lastRestart) this.lastRestart = ended;
    if (!sidecar) return;
    this.sidecarRestarts += status.restartCount;
    if (ended > this.lastSidecarRestart) this.lastSidecarRestart = ended;
  }

  private terminating(): void {
    const phase = this.pod.status?.phase;
    if (this.pod.status?.reason === "NodeLost") this.reason = "Unknown";
    else if (phase !== "Succeeded" && phase !== "Failed") this.reason = "Terminating";
  }
}

function isSidecar(container: Container | undefined): boolean {
  return container?.restartPolicy === "Always";
}

function isInitialized(pod: Pod): boolean {
  return (
    pod.status?.conditions?.some(({ type, status }) => type === "Initialized" && status === "True") ?? false
  );
}

function endReason(ended: { reason?: string; signal?: number; exitCode: number }): string {
  if (ended.reason) return ended.reason;
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`;
}

/** The columns of one row are asked for one after the other: the last pod's summary is kept for them. */
let last: { pod: Pod; at: number; summary: Summary } | undefined;

function summarized(pod: Pod, now: Date): Summary {
  if (last?.pod !== pod || last.at !== now.getTime()) {
    last = { pod, at: now.getTime(), summary: summaryOf(pod, now) };
  }
  return last.summary;
}

function readinessGates({ spec, status }: Pod): string {
  const gates = spec?.readinessGates;
  if (!gates || gates.length === 0) return "<none>";
  const passed = gates.filter(({ conditionType }) =>
    status?.conditions?.some((each) => each.type === conditionType && each.status === "True"),
  );
  return `${passed.length}/${gates.length}`;
}

const orNone = (text: string | undefined) => text || "<none>";

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  { name: "Ready", type: "string", cell: (pod, now) => summarized(pod, now).ready },
  { name: "Status", type: "string", cell: (pod, now) => summarized(pod, now).status },
  { name: "Restarts", type: "string", cell: (pod, now) => summarized(pod, now).restarts },
  ageColumn,
  {
    name: "IP",
    type: "string",
    priority: 1,
    cell: ({ status }) => orNone(status?.podIPs?.[0]?.ip || status?.podIP),
  },
  { name: "Node", type: "string", priority: 1, cell: ({ spec }) => orNone(spec?.nodeName) },
  {
    name: "Nominated Node",
    type: "string",
    priority: 1,
    cell: ({ status }) => orNone(status?.nominatedNodeName),
  },
  { name: "Readiness Gates", type: "string", priority: 1, cell: readinessGates },
];

/** CONTAINERS and IMAGES of a template, which workload kinds show with -o wide. */
export function templateColumns<T>(
  containersOf: (object: T) => readonly Container[] | undefined,
  names: readonly [string, string] = ["Containers", "Images"],
): Column<T>[] {
  return [
    {
      name: names[0],
      type: "string",
      priority: 1,
      cell: (object) => (containersOf(object) ?? []).map(({ name }) => name).join(","),
    },
    {
      name: names[1],
      type: "string",
      priority: 1,
      cell: (object) => (containersOf(object) ?? []).map(({ image }) => image ?? "").join(","),
    },
  ];
}
