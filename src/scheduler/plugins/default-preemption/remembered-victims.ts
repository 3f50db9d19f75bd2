/**
 * What was found for a node is remembered until the node or its pods change: when many like pods must preempt, such as
 * those of one workload, all but the first look at few nodes anew.
 */
import type { Volume } from "../../../api/schema/core.v1.generated.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { Cycle, NodeFilter, Trial } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Budget, type Candidate, selectVictims } from "./victims.ts";

interface Remembered {
  key: string;
  generation: number;
  found: Candidate | readonly string[];
}

/** Volumes and devices are judged by objects beside the pod and the node. */
function dependsOnOthers({ pod }: PodInfo): boolean {
  const volumes: readonly Volume[] = pod.spec?.volumes ?? [];
  return (
    (pod.spec?.resourceClaims?.length ?? 0) > 0 ||
    volumes.some(
      ({ configMap, downwardAPI, emptyDir, hostPath, projected, secret }) =>
        !(configMap ?? downwardAPI ?? emptyDir ?? hostPath ?? projected ?? secret),
    )
  );
}

/** All that filters which look at nothing but the pod and one node can see of the pod; undefined: there are others. */
function keyOf(info: PodInfo, filters: readonly NodeFilter[]): string | undefined {
  if (dependsOnOthers(info) || filters.some(({ clone }) => clone !== undefined)) return undefined;
  const { requests, hostPorts, priority, pod } = info;
  const { nodeName, nodeSelector, affinity, tolerations } = pod.spec ?? {};
  const scalars = requests.scalars && [...requests.scalars];
  return JSON.stringify([
    priority,
    { ...requests, scalars },
    hostPorts,
    nodeName,
    nodeSelector,
    affinity?.nodeAffinity,
    tolerations,
  ]);
}

export class RememberedVictims {
  private readonly nodes = new WeakMap<NodeInfo, Remembered>();

  /** How to look at nodes for the pod of this cycle. */
  finder(cycle: Cycle, trial: Trial, budgets: readonly Budget[]): (node: NodeInfo) => Remembered["found"] {
    const { info } = cycle;
    const own = budgets.length > 0 ? undefined : keyOf(info, trial.filters());
    if (own === undefined) return (node) => selectVictims(cycle, trial, node, budgets);
    return (node) => {
      const nominated = trial.nominated(node.name, info.priority);
      const key = nominated.length === 0 ? own : `${own} ${nominated.map(({ uid }) => uid).join()}`;
      const known = this.nodes.get(node);
      if (known && known.generation === node.generation && known.key === key) return known.found;
      const found = selectVictims(cycle, trial, node, budgets);
      this.nodes.set(node, { key, generation: node.generation, found });
      return found;
    };
  }
}
