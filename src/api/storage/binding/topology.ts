/** Where volumes can be used and made. */
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import { labelSelectorOf } from "../../../machinery/selectors/labels.ts";
import { type LabelledNode, type NodeMatcher, nodeSelectorMatcher } from "../../core/node-selector.ts";
import type { NodeSelector, PersistentVolume } from "../../schema/core.v1.generated.ts";
import type { CSIStorageCapacity, StorageClass } from "../../schema/storage.v1.generated.ts";

/** Selectors of stored objects never change, and one is asked for many nodes. */
const matchers = new WeakMap<NodeSelector, NodeMatcher>();

/** Whether the volume's node affinity lets pods on the node use it; a volume without any can be used everywhere. */
export function volumeAllowsNode({ spec }: PersistentVolume, node: LabelledNode): boolean {
  const required = spec?.nodeAffinity?.required;
  if (!required) return true;
  let matches = matchers.get(required);
  if (!matches) {
    matches = nodeSelectorMatcher(required);
    matchers.set(required, matches);
  }
  return matches(node);
}

/** Whether volumes of the class may be made for the node: its labels match one of the allowed topologies. */
export function classAllowsNode({ allowedTopologies }: StorageClass, node: LabelledNode): boolean {
  if (!allowedTopologies || allowedTopologies.length === 0) return true;
  const { labels } = node.metadata;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) => {
    if (matchLabelExpressions.length === 0) return false;
    return matchLabelExpressions.every(({ key, values }) => {
      const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
      return value !== undefined && values.includes(value);
    });
  });
}

/**
 * Whether one of a driver's reports says that a volume of the class and size can be made for the node. Ask only for
 * drivers whose CSIDriver says `storageCapacity`.
 */
export function hasCapacityFor(
  node: LabelledNode,
  className: string,
  size: Quantity,
  reports: Iterable<CSIStorageCapacity>,
): boolean {
  for (const { storageClassName, nodeTopology, capacity, maximumVolumeSize } of reports) {
    if (storageClassName !== className) continue;
    // The largest single volume where the driver tells it, else all that is left.
    const limit = maximumVolumeSize ?? capacity;
    if (limit === undefined || Quantity.parse(limit).compare(size) < 0) continue;
    if (nodeTopology && labelSelectorOf(nodeTopology).matches(node.metadata.labels)) return true;
  }
  return false;
}
