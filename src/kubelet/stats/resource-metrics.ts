/** /metrics/resource: what autoscalers and `kubectl top` go by, and no more. */
import { counter, Exposition, type Family, gauge, type Labels } from "./exposition.ts";
import type { Group, Picture } from "./picture.ts";

const NANOSECONDS = 1e9;

function families(what: "container" | "node" | "pod") {
  return {
    cpu: counter(
      `${what}_cpu_usage_seconds_total`,
      `[STABLE] Cumulative cpu time consumed by the ${what} in core-seconds`,
    ),
    memory: gauge(`${what}_memory_working_set_bytes`, `[STABLE] Current working set of the ${what} in bytes`),
    swap: gauge(
      `${what}_swap_usage_bytes`,
      `[ALPHA] Current amount of the ${what} swap usage in bytes. Reported only on non-windows systems`,
    ),
  };
}

const NODE = families("node");
const POD = families("pod");
const CONTAINER = families("container");
const START = gauge(
  "container_start_time_seconds",
  "[STABLE] Start time of the container since unix epoch in seconds",
);
const ERROR = gauge(
  "resource_scrape_error",
  "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
);

export function resourceMetrics({ node, pods }: Picture, hasSwap: boolean): string {
  const told = new Exposition();
  const add = (
    of: { cpu: Family; memory: Family; swap: Family },
    labels: Labels,
    { usage, at }: Group,
  ): void => {
    if (usage.cpu) told.add(of.cpu, labels, usage.cpu.total / NANOSECONDS, at);
    if (!usage.memory) return;
    told.add(of.memory, labels, usage.memory.workingSet, at);
    if (hasSwap) told.add(of.swap, labels, usage.memory.swap, at);
  };
  for (const { pod, containers } of pods) {
    const of = podLabels(pod.metadata);
    for (const container of containers) {
      const labels: Labels = [["container", container.name], ...of];
      add(CONTAINER, labels, container);
      told.add(START, labels, container.startedAt / 1000);
    }
  }
  add(NODE, [], node);
  for (const pod of pods) add(POD, podLabels(pod.pod.metadata), pod);
  told.add(ERROR, [], 0);
  return told.text();
}

function podLabels({ namespace = "", name = "" }: { namespace?: string; name?: string }): Labels {
  return [
    ["namespace", namespace],
    ["pod", name],
  ];
}
