/** Which nodes a DaemonSet wants a pod on. Judged once for each state of a node: thousands are looked at together. */

import type { Node } from "../../api/core/node.ts";
import { requiredNodeMatcher } from "../../api/core/node-selector.ts";
import { untoleratedTaint } from "../../api/core/tolerations.ts";
import type { DaemonSet } from "../../api/schema/apps.v1.generated.ts";
import { daemonTolerations } from "./daemon-pod.ts";

/** `stay`: a pod that is there may stay, though none would be put there. */
export type Verdict = "run" | "stay" | "leave";

export type Judge = (node: Node) => Verdict;

const LIMITS = ["NoSchedule", "NoExecute"];
const EVICTS = ["NoExecute"];

export function judgeOf({ spec }: DaemonSet): Judge {
  const pod = spec!.template.spec!;
  const tolerations = daemonTolerations(pod);
  const matches = requiredNodeMatcher(pod);
  const known = new WeakMap<Node, Verdict>();
  const judge = (node: Node): Verdict => {
    if (pod.nodeName && pod.nodeName !== node.metadata.name) return "leave";
    if (matches && !matches(node)) return "leave";
    const { taints } = node.spec ?? {};
    if (!untoleratedTaint(taints, tolerations, LIMITS)) return "run";
    return untoleratedTaint(taints, tolerations, EVICTS) ? "leave" : "stay";
  };
  return (node) => {
    let verdict = known.get(node);
    if (verdict === undefined) {
      verdict = judge(node);
      known.set(node, verdict);
    }
    return verdict;
  };
}
