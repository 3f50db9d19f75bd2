/** Which pods would have to leave a node for a pod, and which node is best to be left. */
import type { LabelSelector } from "../../../machinery/selectors/labels.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { Cycle, Trial } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";

/** A PodDisruptionBudget as far as it counts here. */
export interface Budget {
  namespace: string;
  selector: LabelSelector;
  allowed: number;
  /** Names of pods that the API server has counted already. */
  disrupted: ReadonlySet<string>;
}

export interface Candidate {
  node: string;
  /** The most important first. */
  victims: readonly PodInfo[];
  violations: number;
}

function startOf({ pod }: PodInfo, now: number): number {
  const { startTime } = pod.status ?? {};
  return startTime ? Date.parse(startTime) : now;
}

/** The higher priority is more important, and of equal ones that which has run longer. */
function byImportance(now: number): (a: PodInfo, b: PodInfo) => number {
  return (a, b) => b.priority - a.priority || startOf(a, now) - startOf(b, now);
}

/** Those whose leaving a budget does not allow, and the others; each keeps its order. */
export function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly Budget[],
): { violating: PodInfo[]; allowed: readonly PodInfo[] } {
  if (budgets.length === 0) return { violating: [], allowed: pods };
  const left = budgets.map(({ allowed }) => allowed);
  const violating: PodInfo[] = [];
  const allowed: PodInfo[] = [];
  for (const info of pods) {
    const { namespace, name = "", labels } = info.pod.metadata;
    let isViolating = false;
    for (const [i, budget] of budgets.entries()) {
      if (budget.namespace !== namespace || budget.disrupted.has(name)) continue;
      if (budget.selector.everything || !labels || !budget.selector.matches(labels)) continue;
      left[i]!--;
      if (left[i]! < 0) isViolating = true;
    }
    (isViolating ? violating : allowed).push(info);
  }
  return { violating, allowed };
}

/** What upstream says of a node without pods of less priority. */
export const NO_VICTIMS: readonly string[] = ["No preemption victims found for incoming pod"];

/**
 * The fewest pods of less priority that must leave the node: all go, then each, the most important first, comes back if
 * the pod still fits. Otherwise the reasons why that does not help.
 */
export function selectVictims(
  { info, now }: Cycle,
  trial: Trial,
  node: NodeInfo,
  budgets: readonly Budget[],
): Candidate | readonly string[] {
  const lower: PodInfo[] = [];
  for (const each of node.pods.values()) if (each.priority < info.priority) lower.push(each);
  if (lower.length === 0) return NO_VICTIMS;
  const copy = node.clone();
  const filters = trial.filters();
  const remove = (each: PodInfo): void => {
    copy.removePod(each.key);
    for (const filter of filters) filter.removePod?.(each, copy);
  };
  for (const each of lower) remove(each);
  const rejection = trial.filter(filters, copy);
  if (rejection) return rejection.reasons;

  lower.sort(byImportance(now));
  const victims: PodInfo[] = [];
  const mustLeave = (each: PodInfo): boolean => {
    copy.addPod(each);
    for (const filter of filters) filter.addPod?.(each, copy);
    if (!trial.filter(filters, copy)) return false;
    remove(each);
    victims.push(each);
    return true;
  };
  const { violating, allowed } = splitByBudgets(lower, budgets);
  let violations = 0;
  for (const each of violating) if (mustLeave(each)) violations++;
  for (const each of allowed) mustLeave(each);
  if (violations > 0) victims.sort(byImportance(now));
  return { node: node.name, victims, violations };
}

/** Added to each priority, so that more victims of negative priority are not fewer. */
const SHIFT = 2 ** 31;

/** What is compared, the first first; less is better. */
const MEASURES: readonly ((candidate: Candidate, now: number) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + SHIFT, 0),
  ({ victims }) => victims.length,
  // The later the longest running of the most important victims began, the less is lost.
  ({ victims }, now) => {
    const highest = victims[0]?.priority;
    const starts = victims.filter(({ priority }) => priority === highest).map((each) => startOf(each, now));
    return -Math.min(...starts);
  },
];

/** The candidate whose victims are the least loss; of equal ones the first. */
export function bestCandidate(candidates: readonly Candidate[], now: number): Candidate | undefined {
  let left = candidates;
  for (const measure of MEASURES) {
    if (left.length < 2) break;
    const values = left.map((candidate) => measure(candidate, now));
    const least = values.reduce((a, b) => Math.min(a, b));
    left = left.filter((_, i) => values[i] === least);
  }
  return left[0];
}
