/** The devices that a node can reach, pool by pool. */
import { type LabelledNode, nodeSelectorMatcher } from "../../core/node-selector.ts";
import type { CounterSet, Device, ResourceClaim, ResourceSlice } from "../../schema/resource.v1.generated.ts";

export interface PoolDevice {
  /** `driver/pool/device`, as allocatedDevices names it. */
  id: string;
  device: Device;
  slice: ResourceSlice;
  pool: Pool;
}

export interface Pool {
  driver: string;
  name: string;
  /** Of every device of the newest generation, reachable or not: they share counters. */
  devices: PoolDevice[];
  reachable: PoolDevice[];
  counterSets: CounterSet[];
  /** Some of its slices are still to come. */
  incomplete: boolean;
  /** Two of its devices have one name. */
  invalid: boolean;
}

export function deviceID(driver: string, pool: string, device: string): string {
  return `${driver}/${pool}/${device}`;
}

/** Every device that a claim has for itself. */
export function allocatedDevices(claims: Iterable<ResourceClaim>): Set<string> {
  const ids = new Set<string>();
  for (const { status } of claims) {
    for (const { driver, pool, device, adminAccess } of status?.allocation?.devices?.results ?? []) {
      if (!adminAccess) ids.add(deviceID(driver, pool, device));
    }
  }
  return ids;
}

/** `slices` hold all of each pool that has any slice the node can reach; others may be left out. */
export function poolsFor(node: LabelledNode, slices: Iterable<ResourceSlice>): Pool[] {
  const byPool = new Map<string, ResourceSlice[]>();
  for (const slice of slices) {
    const key = `${slice.spec.driver}/${slice.spec.pool.name}`;
    const known = byPool.get(key);
    if (!known) byPool.set(key, [slice]);
    else if (known[0]!.spec.pool.generation < slice.spec.pool.generation) byPool.set(key, [slice]);
    else if (known[0]!.spec.pool.generation === slice.spec.pool.generation) known.push(slice);
  }
  const pools: Pool[] = [];
  for (const current of byPool.values()) {
    const pool = poolOf(node, current);
    if (pool.reachable.length > 0) pools.push(pool);
  }
  return pools;
}

function poolOf(node: LabelledNode, slices: readonly ResourceSlice[]): Pool {
  const { driver, pool: spec } = slices[0]!.spec;
  const pool: Pool = {
    driver,
    name: spec.name,
    devices: [],
    reachable: [],
    counterSets: slices.flatMap((slice) => slice.spec.sharedCounters ?? []),
    incomplete: slices.length !== spec.resourceSliceCount,
    invalid: false,
  };
  const names = new Set<string>();
  for (const slice of slices) {
    const whole = !slice.spec.perDeviceNodeSelection && isReachable(slice.spec, node);
    for (const device of slice.spec.devices ?? []) {
      if (names.has(device.name)) pool.invalid = true;
      names.add(device.name);
      const entry = { id: deviceID(driver, spec.name, device.name), device, slice, pool };
      pool.devices.push(entry);
      if (whole || (slice.spec.perDeviceNodeSelection && isReachable(device, node)))
        pool.reachable.push(entry);
    }
  }
  return pool;
}

function isReachable(
  { nodeName, nodeSelector, allNodes }: Pick<Device, "nodeName" | "nodeSelector" | "allNodes">,
  node: LabelledNode,
): boolean {
  if (nodeName) return nodeName === node.metadata.name;
  return allNodes || (nodeSelector !== undefined && nodeSelectorMatcher(nodeSelector)(node));
}
