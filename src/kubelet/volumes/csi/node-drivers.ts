/** Which drivers a node has, as its CSINode, its annotation and its labels tell. Pure. */
import type { Node } from "../../../api/core/node.ts";
import type { CSINode } from "../../../api/storage/csi-node.ts";

/** What a driver says of itself and the node. */
export interface NodeDriver {
  name: string;
  nodeID: string;
  /** 0: as many as there are. */
  maxVolumes: number;
  topology: ReadonlyMap<string, string>;
}

const NODE_ID_ANNOTATION = "csi.volume.kubernetes.io/nodeid";

/** The CSINode with the driver (or without, where there is none of the name); undefined where it is so already. */
export function withDriver(
  known: CSINode | undefined,
  node: Node,
  name: string,
  driver: NodeDriver | undefined,
): CSINode | undefined {
  const before = known?.spec.drivers ?? [];
  const others = before.filter((one) => one.name !== name);
  const drivers = driver ? [...others, entryOf(driver)] : others;
  if (known && JSON.stringify(drivers) === JSON.stringify(before)) return undefined;
  if (known) return { ...known, spec: { ...known.spec, drivers } };
  const { name: nodeName, uid = "" } = node.metadata;
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "CSINode",
    metadata: {
      name: nodeName,
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName ?? "", uid }],
    },
    spec: { drivers },
  };
}

function entryOf({ name, nodeID, maxVolumes, topology }: NodeDriver) {
  const topologyKeys = [...topology.keys()].sort();
  const keys = topologyKeys.length > 0 ? { topologyKeys } : {};
  return maxVolumes > 0
    ? { name, nodeID, ...keys, allocatable: { count: maxVolumes } }
    : { name, nodeID, ...keys };
}

/** The merge patch of the node's metadata; undefined where nothing is to be changed. Throws where a label says otherwise. */
export function nodePatch(node: Node, name: string, driver: NodeDriver | undefined): object | undefined {
  const { annotations = {}, labels = {} } = node.metadata;
  const before = annotations[NODE_ID_ANNOTATION];
  const ids = idsOf(before);
  if (driver) ids.set(name, driver.nodeID);
  else ids.delete(name);
  const after = ids.size === 0 ? null : JSON.stringify(Object.fromEntries([...ids].sort()));
  const missing: [string, string][] = [];
  for (const [key, value] of driver?.topology ?? []) {
    const own = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (own !== undefined && own !== value) {
      throw new Error(
        `detected topology value collision: driver reported "${key}":"${value}" but existing label is "${key}":"${own}"`,
      );
    }
    if (own === undefined) missing.push([key, value]);
  }
  if (missing.length === 0 && after === (before ?? null)) return undefined;
  const changed = missing.length > 0 ? { labels: Object.fromEntries(missing) } : {};
  return { metadata: { annotations: { [NODE_ID_ANNOTATION]: after }, ...changed } };
}

function idsOf(annotation: string | undefined): Map<string, string> {
  try {
    return new Map(Object.entries(JSON.parse(annotation ?? "{}") as Record<string, string>));
  } catch {
    return new Map();
  }
}
