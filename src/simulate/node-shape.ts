/** What a simulated node looks like, and the Node that it registers. */
import type { Node, NodeCondition, Taint } from "../api/core/node.ts";
import { formatTime } from "../machinery/time/time.ts";

export interface NodeShape {
  name: string;
  /** Quantities by resource; pods, cpu, memory and ephemeral-storage have defaults. */
  capacity?: Readonly<Record<string, string>>;
  /** What pods may use of it; all by default. */
  allocatable?: Readonly<Record<string, string>>;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  taints?: readonly Taint[];
  zone?: string;
  region?: string;
}

/** Many nodes of one kind. */
export interface NodesOptions extends Omit<NodeShape, "name" | "zone"> {
  count: number;
  /** `node-` by default; behind it comes a number. */
  prefix?: string;
  /** Zones `zone-a`, `zone-b` … that the nodes take turns in; none by default. */
  zones?: number;
}

/** By which simulated nodes are told from others: `kubectl delete nodes -l kybern.dev/simulated=true`. */
export const SIMULATED = "kybern.dev/simulated";

const CAPACITY = { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "100Gi" };
const KUBELET_PORT = 10250;

export function nodeShapes({ count, prefix = "node-", zones = 0, ...shape }: NodesOptions): NodeShape[] {
  return Array.from({ length: count }, (_, i) => ({
    ...shape,
    name: `${prefix}${i}`,
    ...(zones > 0 ? { zone: zoneName(i % zones) } : {}),
  }));
}

function zoneName(i: number): string {
  return i < 26 ? `zone-${String.fromCharCode(97 + i)}` : `zone-${i}`;
}

/** As a kubelet registers it: the pod networks and the spec's other fields are for the controllers. */
export function nodeOf(shape: NodeShape, hostIP: string, kubeletVersion: string, now: number): Node {
  const { name, annotations, taints, zone, region = zone === undefined ? undefined : "region-1" } = shape;
  const capacity = { ...CAPACITY, ...shape.capacity };
  const id = systemID(hostIP);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }),
        ...(region === undefined ? {} : { "topology.kubernetes.io/region": region }),
        [SIMULATED]: "true",
        ...shape.labels,
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true", ...annotations },
    },
    spec: taints && taints.length > 0 ? { taints: [...taints] } : {},
    status: {
      capacity,
      allocatable: { ...capacity, ...shape.allocatable },
      conditions: nodeConditions(now),
      addresses: [
        { type: "InternalIP", address: hostIP },
        { type: "Hostname", address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
      nodeInfo: {
        machineID: id.replaceAll("-", ""),
        systemUUID: id,
        bootID: id,
        kernelVersion: "6.12.0",
        osImage: "Kybern simulation",
        containerRuntimeVersion: "containerd://2.0.0",
        kubeletVersion,
        kubeProxyVersion: "",
        operatingSystem: "linux",
        architecture: "amd64",
      },
    },
  };
}

/** Of a node that is well, as the kubelet words them. */
export function nodeConditions(now: number, before: readonly NodeCondition[] = []): NodeCondition[] {
  const lastHeartbeatTime = formatTime(now);
  const condition = (type: string, status: string, reason: string, message: string): NodeCondition => {
    const known = before.find((other) => other.type === type);
    const since = known?.status === status ? known.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastHeartbeatTime,
      lastTransitionTime: since ?? lastHeartbeatTime,
      reason,
      message,
    };
  };
  return [
    condition(
      "MemoryPressure",
      "False",
      "KubeletHasSufficientMemory",
      "kubelet has sufficient memory available",
    ),
    condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
  ];
}

/** A UUID that is the node's own and the same at each start. */
function systemID(hostIP: string): string {
  const digits = hostIP
    .split(".")
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("");
  return `${digits}-0000-4000-8000-${digits.padStart(12, "0")}`;
}
