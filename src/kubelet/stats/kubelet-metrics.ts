/** /metrics of the kubelet: the figures of the kubelet itself, under upstream's names. */

import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { ContainerStatus } from "../../api/schema/core.v1.generated.ts";
import { MetricSet } from "../../base/metrics/metric-set.ts";
import type { RunningPods } from "../ports.ts";

export interface KubeletMetricsOptions {
  nodeName: string;
  pods: Pick<RunningPods, "list">;
  /** Labels of kubernetes_build_info: `git_version`, `platform` … */
  build: Readonly<Record<string, string>>;
}

export interface KubeletMetrics {
  /** A pod was ended because of this signal, such as `memory.available`. */
  evicted(signal: string): void;
  exposition(): string;
}

const STATES = ["created", "exited", "running", "unknown"] as const;
const STATIC = "kubernetes.io/config.source";

export function createKubeletMetrics({ nodeName, pods, build }: KubeletMetricsOptions): KubeletMetrics {
  const set = new MetricSet();
  set
    .gauge("kubelet_node_name", "[ALPHA] The node's name. The count is always 1.", ["node"])
    .of(nodeName)
    .set(1);
  set.gauge("kubelet_running_pods", "[BETA] Number of pods that have a running pod sandbox", [], (gauge) =>
    gauge
      .of()
      .set(pods.list().filter((pod) => !hasPodEnded(pod) && (pod.status?.podIPs?.length ?? 0) > 0).length),
  );
  set.gauge(
    "kubelet_running_containers",
    "[BETA] Number of containers currently running",
    ["container_state"],
    (gauge) => {
      const counts = new Map<string, number>(STATES.map((state) => [state, 0]));
      for (const { status } of pods.list()) {
        const all = [
          status?.initContainerStatuses,
          status?.containerStatuses,
          status?.ephemeralContainerStatuses,
        ];
        for (const container of all.flatMap((each) => each ?? [])) {
          const state = stateOf(container);
          if (state !== undefined) counts.set(state, counts.get(state)! + 1);
        }
      }
      for (const [state, count] of counts) gauge.of(state).set(count);
    },
  );
  set.gauge(
    "kubelet_desired_pods",
    "[ALPHA] The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.",
    ["static"],
    (gauge) => {
      const all = pods.list();
      const own = all.filter(({ metadata }) => isStatic(metadata.annotations)).length;
      gauge.of("").set(all.length - own);
      gauge.of("true").set(own);
    },
  );
  const evictions = set.counter(
    "kubelet_evictions",
    "[ALPHA] Cumulative number of pod evictions by eviction signal",
    ["eviction_signal"],
  );
  set
    .gauge(
      "kubernetes_build_info",
      "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
      Object.keys(build),
    )
    .of(...Object.values(build))
    .set(1);
  const look = addProcess(set);
  return {
    evicted: (signal) => evictions.of(signal).add(),
    exposition() {
      look();
      return set.exposition();
    },
  };
}

function stateOf({ state, containerID }: ContainerStatus): (typeof STATES)[number] | undefined {
  if (state?.running) return "running";
  if (state?.terminated) return "exited";
  return containerID ? "created" : undefined;
}

function isStatic(annotations: Readonly<Record<string, string>> | undefined): boolean {
  const source = annotations?.[STATIC];
  return source !== undefined && source !== "api";
}

/** Of the whole process, which may be more than the kubelet. Returns what brings the figures up to date. */
function addProcess(set: MetricSet): () => void {
  const memory = set.gauge("process_resident_memory_bytes", "Resident memory size in bytes.").of();
  const cpu = set
    .counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
    .of();
  set
    .gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
    .of()
    .set(Math.round(performance.timeOrigin) / 1000);
  return () => {
    const { user, system } = process.cpuUsage();
    cpu.set((user + system) / 1e6);
    memory.set(process.memoryUsage.rss());
  };
}
