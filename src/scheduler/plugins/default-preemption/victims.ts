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
  /** Of what is lost, for comparison. */
  highestPriority: number;
  sumOfPriorities: number;
  /** When the longest running of the most important victims began, as the API writes times: they sort as texts. */
  earliestStart: string;
}

/** Later than every time: a pod without a start has only just come. */
const NOT_STARTED = "~";

function startOf({ pod }: PodInfo): string {
  return pod.status?.startTime ?? NOT_STARTED;
}

/** The higher priority is more important, and of equal ones that which has run longer. */
function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [first, second] = [startOf(a), startOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Those whose leaving a budget does not allow, and the others; each keeps its order. */
export function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly Budget[],
): { violating: readonly PodInfo[]; allowed: readonly PodInfo[] } {
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
const NO_VICTIMS: readonly string[] = ["No preemption victims found for incoming pod"];

/**
 * The fewest pods of less priority that must leave the node: all go, then each, the most important first, comes back if
 * the pod still fits. Otherwise the reasons why that does not help.
 */
export function selectVictims(
  { info }: Cycle,
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

  lower.sort(byImportance);
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
  if (violations > 0) victims.sort(byImportance);
  return candidateOf(node.name, victims, violations);
}

/** Added to each priority, so that more victims of negative priority are not fewer. */
const SHIFT = 2 ** 31;

export function candidateOf(node: string, victims: readonly PodInfo[], violations: number): Candidate {
  const [first] = victims;
  let sumOfPriorities = 0;
  for (const { priority } of victims) sumOfPriorities += priority + SHIFT;
  return {
    node,
    victims,
    violations,
    highestPriority: first?.priority ?? Number.NEGATIVE_INFINITY,
    sumOfPriorities,
    earliestStart: first ? startOf(first) : NOT_STARTED,
  };
}

/** Negative: `a` is the lesser loss. */
function compareLoss(a: Candidate, b: Candidate): number {
  if (a.violations !== b.violations) return a.violations - b.violations;
  if (a.highestPriority !== b.highestPriority) return a.highestPriority - b.highestPriority;
  if (a.sumOfPriorities !== b.sumOfPriorities) return a.sumOfPriorities - b.sumOfPriorities;
  if (a.victims.length !== b.victims.length) return a.victims.length - b.victims.length;
  // The later it began, the less is lost.
  return a.earliestStart === b.earliestStart ? 0 : a.earliestStart > b.earliestStart ? -1 : 1;
}

/** The candidate whose victims are the least loss; of equal ones the first. */
export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of candidates) if (!best || compareLoss(candidate, best) < 0) best = candidate;
  return best;
}
