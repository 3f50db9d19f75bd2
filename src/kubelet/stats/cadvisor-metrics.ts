/** /metrics/cadvisor: all that the kernel counts of control groups, under the names that dashboards know. */
import type { MachineFacts } from "../../host/machine/machine-facts.ts";
import { counter, Exposition, type Family, gauge, type Labels } from "./exposition.ts";
import type { InterfaceCounters } from "./network.ts";
import type { ContainerGroup, Group, Picture, PodGroup } from "./picture.ts";

const NANOSECONDS = 1e9;

type Figure = readonly [family: Family, of: (group: Group) => number | undefined];

const CPU: readonly Figure[] = [
  [
    counter("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds."),
    ({ usage }) => usage.cpu && usage.cpu.total / NANOSECONDS,
  ],
  [
    counter("container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds."),
    ({ usage }) => usage.cpu && usage.cpu.user / NANOSECONDS,
  ],
  [
    counter("container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds."),
    ({ usage }) => usage.cpu && usage.cpu.system / NANOSECONDS,
  ],
  [
    counter("container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals."),
    ({ usage }) => usage.cpu?.periods || undefined,
  ],
  [
    counter("container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals."),
    ({ usage }) => (usage.cpu?.periods ? usage.cpu.throttledPeriods : undefined),
  ],
  [
    counter(
      "container_cpu_cfs_throttled_seconds_total",
      "Total time duration the container has been throttled.",
    ),
    ({ usage }) => (usage.cpu?.periods ? usage.cpu.throttled / NANOSECONDS : undefined),
  ],
];

const MEMORY: readonly Figure[] = [
  [
    gauge(
      "container_memory_usage_bytes",
      "Current memory usage in bytes, including all memory regardless of when it was accessed",
    ),
    ({ usage }) => usage.memory?.usage,
  ],
  [
    gauge("container_memory_working_set_bytes", "Current working set in bytes."),
    ({ usage }) => usage.memory?.workingSet,
  ],
  [gauge("container_memory_rss", "Size of RSS in bytes."), ({ usage }) => usage.memory?.rss],
  [
    gauge("container_memory_cache", "Number of bytes of page cache memory."),
    ({ usage }) => usage.memory?.cache,
  ],
  [
    gauge("container_memory_mapped_file", "Size of memory mapped files in bytes."),
    ({ usage }) => usage.memory?.mappedFile,
  ],
  [gauge("container_memory_swap", "Container swap usage in bytes."), ({ usage }) => usage.memory?.swap],
  [
    gauge("container_memory_kernel_usage", "Size of kernel memory allocated in bytes."),
    ({ usage }) => usage.memory?.kernel,
  ],
  [
    gauge("container_memory_max_usage_bytes", "Maximum memory usage recorded in bytes"),
    ({ usage }) => usage.memory?.most,
  ],
  [
    counter("container_memory_failcnt", "Number of memory usage hits limits"),
    ({ usage }) => usage.memory?.failures,
  ],
  [
    gauge("container_spec_memory_limit_bytes", "Memory limit for the container."),
    ({ usage }) => usage.memory && (usage.memory.limit ?? 0),
  ],
];

const PIDS: readonly Figure[] = [
  [
    gauge("container_threads", "Number of threads running inside the container"),
    ({ usage }) => usage.pids?.current,
  ],
  [
    gauge(
      "container_threads_max",
      "Maximum number of threads allowed inside the container, infinity if value is zero",
    ),
    ({ usage }) => usage.pids && (usage.pids.limit ?? 0),
  ],
];

const FAILURES = counter(
  "container_memory_failures_total",
  "Cumulative count of memory allocation failures.",
);

const READ_BYTES = counter("container_fs_reads_bytes_total", "Cumulative count of bytes read");
const WRITTEN_BYTES = counter("container_fs_writes_bytes_total", "Cumulative count of bytes written");
const READS = counter("container_fs_reads_total", "Cumulative count of reads completed");
const WRITES = counter("container_fs_writes_total", "Cumulative count of writes completed");

const START = gauge(
  "container_start_time_seconds",
  "Start time of the container since unix epoch in seconds.",
);
const SEEN = gauge("container_last_seen", "Last time a container was seen by the exporter");

const NETWORK: readonly (readonly [Family, keyof InterfaceCounters])[] = [
  [counter("container_network_receive_bytes_total", "Cumulative count of bytes received"), "rxBytes"],
  [counter("container_network_receive_packets_total", "Cumulative count of packets received"), "rxPackets"],
  [
    counter(
      "container_network_receive_packets_dropped_total",
      "Cumulative count of packets dropped while receiving",
    ),
    "rxDropped",
  ],
  [
    counter(
      "container_network_receive_errors_total",
      "Cumulative count of errors encountered while receiving",
    ),
    "rxErrors",
  ],
  [counter("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted"), "txBytes"],
  [
    counter("container_network_transmit_packets_total", "Cumulative count of packets transmitted"),
    "txPackets",
  ],
  [
    counter(
      "container_network_transmit_packets_dropped_total",
      "Cumulative count of packets dropped while transmitting",
    ),
    "txDropped",
  ],
  [
    counter(
      "container_network_transmit_errors_total",
      "Cumulative count of errors encountered while transmitting",
    ),
    "txErrors",
  ],
];

export function cadvisorMetrics(picture: Picture, machine: MachineFacts): string {
  const told = new Exposition();
  addMachine(told, machine);
  const { node, nodeInterfaces, above, pods } = picture;
  const bare: Whose = { container: "", image: "", name: "", namespace: "", pod: "" };
  addGroup(told, node, bare);
  addNetwork(told, node, bare, nodeInterfaces);
  for (const group of above) addGroup(told, group, bare);
  for (const pod of pods) addPod(told, pod);
  return told.text();
}

interface Whose {
  container: string;
  image: string;
  name: string;
  namespace: string;
  pod: string;
}

function addPod(told: Exposition, group: PodGroup): void {
  const { namespace = "", name = "" } = group.pod.metadata;
  const of = { container: "", image: "", name: "", namespace, pod: name };
  addGroup(told, group, of);
  const add = (container: ContainerGroup): void => {
    const whose = { ...of, container: container.name, image: container.image, name: container.id };
    addGroup(told, container, whose);
    if (container.startedAt > 0)
      told.add(START, labelsOf(container, whose), container.startedAt / 1000, container.at);
  };
  if (group.sandbox) {
    add(group.sandbox);
    // The network is the sandbox's, which all containers share.
    const { id, image } = group.sandbox;
    addNetwork(told, group.sandbox, { ...of, container: "POD", image, name: id }, group.interfaces);
  }
  for (const container of group.containers) add(container);
}

function addGroup(told: Exposition, group: Group, whose: Whose): void {
  const labels = labelsOf(group, whose);
  for (const [family, of] of [...CPU, ...MEMORY, ...PIDS]) {
    const value = of(group);
    if (value === undefined) continue;
    // What is counted for each core elsewhere is counted for all of them here.
    const own =
      family.name === "container_cpu_usage_seconds_total" ? withLabel(labels, "cpu", "total") : labels;
    told.add(family, own, value, group.at);
  }
  const { memory } = group.usage;
  if (memory) {
    for (const scope of ["container", "hierarchy"]) {
      const of = (type: string): Labels => withLabel(withLabel(labels, "failure_type", type), "scope", scope);
      told.add(FAILURES, of("pgfault"), memory.pageFaults, group.at);
      told.add(FAILURES, of("pgmajfault"), memory.majorPageFaults, group.at);
    }
  }
  for (const { device, readBytes, writtenBytes, reads, writes } of group.io) {
    const own = withLabel(labels, "device", device);
    told.add(READ_BYTES, own, readBytes, group.at);
    told.add(WRITTEN_BYTES, own, writtenBytes, group.at);
    told.add(READS, own, reads, group.at);
    told.add(WRITES, own, writes, group.at);
  }
  told.add(SEEN, labels, Math.floor(group.at / 1000), group.at);
}

function addNetwork(
  told: Exposition,
  group: Group,
  whose: Whose,
  interfaces: readonly InterfaceCounters[],
): void {
  const labels = labelsOf(group, whose);
  for (const counters of interfaces) {
    const own = withLabel(labels, "interface", counters.name);
    for (const [family, name] of NETWORK) told.add(family, own, Number(counters[name]), group.at);
  }
}

function addMachine(
  told: Exposition,
  { cores, memoryBytes, swapBytes, machineID, systemUUID, bootID }: MachineFacts,
): void {
  const labels: Labels = [
    ["boot_id", bootID],
    ["machine_id", machineID],
    ["system_uuid", systemUUID],
  ];
  told.add(gauge("machine_cpu_cores", "Number of logical CPU cores."), labels, cores);
  told.add(gauge("machine_memory_bytes", "Amount of memory installed on the machine."), labels, memoryBytes);
  told.add(gauge("machine_swap_bytes", "Amount of swap memory available on the machine."), labels, swapBytes);
}

function labelsOf({ path }: Group, { container, image, name, namespace, pod }: Whose): Labels {
  return [
    ["container", container],
    ["id", path],
    ["image", image],
    ["name", name],
    ["namespace", namespace],
    ["pod", pod],
  ];
}

/** In the order of the labels' names, as Prometheus' own libraries write them. */
function withLabel(labels: Labels, name: string, value: string): Labels {
  const at = labels.findIndex(([other]) => other > name);
  const place = at < 0 ? labels.length : at;
  return [...labels.slice(0, place), [name, value], ...labels.slice(place)];
}
