/** What a kubelet tells of its node: a pure function of what it knows. */
import type {
  ContainerImage,
  Node,
  NodeCondition,
  NodeRuntimeHandler,
  NodeStatus,
} from "../../api/schema/core.v1.generated.ts";
import type { MachineFacts } from "../../host/machine/machine-facts.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { allocatableOf, type Reservations } from "../resources/reservations.ts";
import type { RuntimeHandler } from "../runtime/cri/runtime.ts";

export interface NodeFacts {
  machine: MachineFacts;
  hostname: string;
  /** The one of the cluster's first family first. */
  addresses: readonly string[];
  /** Bytes of the file system that holds pods' volumes and logs. */
  storageBytes: number;
  maxPods: number;
  reservations: Reservations;
  kubeletVersion: string;
  /** As `containerd://1.6.20`. */
  runtimeVersion: string;
  runtimeHandlers: readonly RuntimeHandler[];
  supplementalGroupsPolicy?: boolean;
  declaredFeatures: readonly string[];
  /** The kubelet's own server; undefined where it has none. */
  port?: number;
  images: ContainerImage[];
  volumesInUse: readonly string[];
  conditions: NodeCondition[];
}

/** Resources that the kubelet counts itself; others belong to whoever put them into the node's capacity. */
function isOwn(name: string): boolean {
  return OWN.has(name) || name.startsWith("hugepages-");
}
const OWN: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage", "pods"]);

/** `now`: as the server has the node, of which what others added is kept. */
export function nodeStatus(facts: NodeFacts, now: NodeStatus = {}): NodeStatus {
  const { machine, addresses, hostname, port } = facts;
  const own = capacityOf(facts);
  const others = Object.entries(now.capacity ?? {}).filter(([name]) => !isOwn(name));
  const capacity = Object.fromEntries([...Object.entries(own), ...others]);
  const allocatable = Object.fromEntries([...allocatableOf(own, facts.reservations), ...others]);
  return {
    capacity,
    allocatable,
    conditions: facts.conditions,
    addresses: [
      ...addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: hostname },
    ],
    ...(port === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
    nodeInfo: {
      machineID: machine.machineID,
      systemUUID: machine.systemUUID,
      bootID: machine.bootID,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: facts.runtimeVersion,
      kubeletVersion: facts.kubeletVersion,
      kubeProxyVersion: "",
      operatingSystem: machine.operatingSystem,
      architecture: machine.architecture,
      ...(machine.swapBytes > 0 ? { swap: { capacity: machine.swapBytes } } : {}),
    },
    images: facts.images,
    ...(facts.volumesInUse.length > 0 ? { volumesInUse: [...facts.volumesInUse] } : {}),
    ...(facts.runtimeHandlers.length > 0 ? { runtimeHandlers: facts.runtimeHandlers.map(handlerOf) } : {}),
    ...(facts.supplementalGroupsPolicy === undefined
      ? {}
      : { features: { supplementalGroupsPolicy: facts.supplementalGroupsPolicy } }),
    ...(facts.declaredFeatures.length > 0 ? { declaredFeatures: [...facts.declaredFeatures].sort() } : {}),
  };
}

export function capacityOf({ machine, storageBytes, maxPods }: NodeFacts): Record<string, string> {
  const capacity: Record<string, string> = {
    cpu: String(machine.cores),
    memory: bytes(machine.memoryBytes),
    "ephemeral-storage": bytes(storageBytes),
    pods: String(maxPods),
  };
  for (const [size, amount] of machine.hugepages) capacity[`hugepages-${bytes(size)}`] = bytes(amount);
  return capacity;
}

export function bytes(amount: number): string {
  return Quantity.ofValue(amount, "BinarySI").toString();
}

function handlerOf({ name, features }: RuntimeHandler): NodeRuntimeHandler {
  if (features === undefined) return { name };
  const { recursiveReadOnlyMounts, userNamespaces } = features;
  return { name, features: { recursiveReadOnlyMounts, userNamespaces } };
}

/**
 * The fields of `wanted` that are another than those the server has, as a strategic merge patch; undefined where none is.
 * When the conditions were last looked at does not count: by itself it is not worth telling.
 */
export function statusPatch(now: NodeStatus | undefined, wanted: NodeStatus): NodeStatus | undefined {
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(wanted) as (keyof NodeStatus)[]) {
    const isSame =
      name === "conditions"
        ? (wanted.conditions ?? []).every((each) => isSameCondition(each, now?.conditions))
        : deepEqual(now?.[name] ?? EMPTY[name], wanted[name]);
    if (!isSame) patch[name] = wanted[name];
  }
  for (const name of ["volumesInUse", "runtimeHandlers", "declaredFeatures"] as const) {
    if (now?.[name] !== undefined && now[name].length > 0 && wanted[name] === undefined) patch[name] = null;
  }
  // By default what is patched is added to what is there, and addresses that are gone would stay.
  if (patch.addresses) patch.addresses = [...wanted.addresses!, { $patch: "replace" }];
  return Object.keys(patch).length === 0 ? undefined : (patch as NodeStatus);
}

const EMPTY: Partial<Record<keyof NodeStatus, unknown>> = { images: [] };

function isSameCondition(wanted: NodeCondition, now: readonly NodeCondition[] = []): boolean {
  const known = now.find(({ type }) => type === wanted.type);
  return (
    known !== undefined &&
    known.status === wanted.status &&
    known.reason === wanted.reason &&
    known.message === wanted.message
  );
}

/** Labels that every node has. */
export function defaultLabels(machine: MachineFacts, hostname: string): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": machine.architecture,
    "beta.kubernetes.io/os": machine.operatingSystem,
    "kubernetes.io/arch": machine.architecture,
    "kubernetes.io/hostname": hostname,
    "kubernetes.io/os": machine.operatingSystem,
  };
}

export function isRebooted(before: Node | undefined, machine: MachineFacts): boolean {
  const known = before?.status?.nodeInfo?.bootID;
  return known !== undefined && known !== "" && known !== machine.bootID;
}
