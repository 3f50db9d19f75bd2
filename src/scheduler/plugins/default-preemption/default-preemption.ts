/** Makes pods of less priority leave a node where a pod would fit without them (upstream: framework/preemption). */

import { Pod } from "../../../api/core/pods.ts";
import { PodDisruptionBudget } from "../../../api/policy/pod-disruption-budget.ts";
import type { Lister } from "../../../client/informer/object-store.ts";
import { labelSelectorOf } from "../../../machinery/selectors/labels.ts";
import { type Given, readArguments } from "../../framework/arguments.ts";
import {
  type Cycle,
  definePlugin,
  type PluginContext,
  type PostFilterResult,
  type PreemptionExtenders,
  type Trial,
} from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Rejection, reject, type SearchRejections } from "../../framework/rejection.ts";
import { BegunPreemptions } from "./begun-preemptions.ts";
import { Evictions, isBeingPreempted } from "./eviction.ts";
import { RememberedVictims } from "./remembered-victims.ts";
import { type Budget, bestCandidate, type Candidate, candidateOf } from "./victims.ts";

interface Arguments {
  percentage: number;
  absolute: number;
}

function readPreemptionArguments(given: Given | undefined): Arguments {
  return readArguments(given, (from) => {
    const percentage = from.number("minCandidateNodesPercentage", 10, 0, 100);
    const absolute = from.number("minCandidateNodesAbsolute", 100, 0, Number.POSITIVE_INFINITY);
    if (percentage === 0 && absolute === 0) {
      const why = "cannot be zero at the same time as minCandidateNodesAbsolute";
      throw from.invalid("minCandidateNodesPercentage", percentage, why);
    }
    return { percentage, absolute };
  });
}

const NAME = "DefaultPreemption";
const WAITING = reject(NAME, "gated", "waiting for the preemption for this pod to be finished");
const NOT_HELPFUL = "Preemption is not helpful for scheduling";

class DefaultPreemption {
  private readonly context: PluginContext;
  private readonly args: Arguments;
  private readonly budgets: Lister<PodDisruptionBudget>;
  private readonly evictions: Evictions;
  private readonly remembered = new RememberedVictims();
  private readonly begun: BegunPreemptions;

  constructor(context: PluginContext, args: Arguments) {
    this.context = context;
    this.args = args;
    this.budgets = context.informers.of(PodDisruptionBudget).lister;
    this.evictions = new Evictions(context);
    this.begun = new BegunPreemptions({
      pods: context.informers.of(Pod),
      nodes: context.nodes,
      reconsider: (uid) => context.reconsider(uid),
    });
  }

  preEnqueue({ metadata: { uid = "" } }: Pod): Rejection | undefined {
    return this.begun.keepsOut(uid) ? WAITING : undefined;
  }

  postFilter(
    cycle: Cycle,
    rejected: SearchRejections,
    trial: Trial,
  ): PostFilterResult | Promise<PostFilterResult> {
    const barred = this.whyNotEligible(cycle, rejected);
    if (barred) return { message: `preemption: ${barred}` };
    const reasons = new Map<string, number>();
    const errors: string[] = [];
    const candidates = this.candidates(cycle, rejected, trial, reasons, errors);
    if (candidates.length === 0) {
      if (errors.length > 0) return { message: `preemption: ${together(errors)}`, failed: true };
      return { nominate: "", message: `preemption: ${summary(rejected.size, reasons)}` };
    }
    if (this.context.extenders?.havePreemptionSay(cycle.pod)) {
      return this.askExtenders(cycle, trial, candidates, this.context.extenders);
    }
    return this.choose(cycle, trial, candidates);
  }

  private async askExtenders(
    cycle: Cycle,
    trial: Trial,
    candidates: readonly Candidate[],
    extenders: PreemptionExtenders,
  ): Promise<PostFilterResult> {
    const found = new Map(
      candidates.map(({ node, victims, violations }) => [node, { pods: victims, violations }]),
    );
    try {
      const left = await extenders.chooseVictims(cycle.pod, found, cycle.nodes);
      const chosen = [...left].map(([node, { pods, violations }]) => candidateOf(node, pods, violations));
      return this.choose(cycle, trial, chosen);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { message: `preemption: ${text}`, failed: true };
    }
  }

  private choose({ pod, info }: Cycle, trial: Trial, candidates: readonly Candidate[]): PostFilterResult {
    const best = bestCandidate(candidates);
    if (!best) return { message: "preemption: no candidate node for preemption" };
    this.begin(pod, best, trial.nominated(best.node, Number.NEGATIVE_INFINITY), info.priority);
    return { nominate: best.node, message: "", victims: best.victims.length };
  }

  forget(uid: string): void {
    this.begun.forget(uid);
  }

  private whyNotEligible({ pod, info, nodes }: Cycle, rejected: SearchRejections): string | undefined {
    if (pod.spec?.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
    const begun = this.begun.get(info.uid);
    const name = begun?.node ?? pod.status?.nominatedNodeName;
    const node = name ? nodes.get(name) : undefined;
    // Whatever happens on a node that does not take the pod at all need not be waited for.
    if (!node || rejected.get(node)?.code === "unresolvable") return undefined;
    const isLeaving = (each: PodInfo): boolean => each.priority < info.priority && isBeingPreempted(each.pod);
    const isExpected =
      begun !== undefined &&
      !begun.failed &&
      begun.victims.some(({ key, uid }) => node.pods.get(key)?.uid === uid);
    if (isExpected || node.pods.values().some(isLeaving)) {
      return "not eligible due to a terminating pod on the nominated node.";
    }
    this.begun.forget(info.uid);
    return undefined;
  }

  /** From a random node on, until enough are found, one of them without violating a budget. */
  private candidates(
    cycle: Cycle,
    rejected: SearchRejections,
    trial: Trial,
    reasons: Map<string, number>,
    errors: string[],
  ): Candidate[] {
    const possible = rejected.withCode("unschedulable");
    const hopeless = rejected.size - possible.length;
    if (hopeless > 0) reasons.set(NOT_HELPFUL, hopeless);
    const { percentage, absolute } = this.args;
    const share = Math.trunc((possible.length * percentage) / 100);
    const enough = Math.min(Math.max(share, absolute), possible.length);
    const offset = Math.floor(this.context.random() * possible.length);
    const find = this.remembered.finder(cycle, trial, this.currentBudgets());
    const found: Candidate[] = [];
    let isClean = false;
    for (let i = 0; i < possible.length; i++) {
      const node = possible[(offset + i) % possible.length]!;
      const selected = find(node);
      if (!("victims" in selected)) {
        count(reasons, selected);
        continue;
      }
      // It fits as it is: something beside the filters rejected it, which no eviction changes.
      if (selected.victims.length === 0) {
        errors.push(`expected at least one victim pod on node ${JSON.stringify(node.name)}`);
        continue;
      }
      found.push(selected);
      if (selected.violations === 0) isClean = true;
      if (isClean && found.length >= enough) break;
    }
    return found;
  }

  private currentBudgets(): Budget[] {
    if (this.budgets.size === 0) return [];
    return this.budgets.list().map(({ metadata, spec, status }) => ({
      namespace: metadata.namespace ?? "",
      selector: labelSelectorOf(spec?.selector),
      allowed: status?.disruptionsAllowed ?? 0,
      disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
    }));
  }

  private begin(
    pod: Pod,
    { node, victims }: Candidate,
    nominated: readonly PodInfo[],
    priority: number,
  ): void {
    const lower = nominated.filter((each) => each.priority < priority);
    const evicted = Promise.all([
      this.evictions.evict(victims, pod, node),
      this.evictions.clearNominations(lower),
    ]);
    this.begun.begin(pod.metadata.uid ?? "", node, victims, evicted);
  }
}

function count(reasons: Map<string, number>, more: readonly string[]): void {
  for (const reason of more) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

/** As upstream tells of several errors at once. */
function together(errors: readonly string[]): string {
  return errors.length === 1 ? errors[0]! : `[${errors.join(", ")}]`;
}

/** As the reasons why the pod was rejected are told. */
function summary(nodes: number, reasons: ReadonlyMap<string, number>): string {
  const counted = [...reasons].map(([reason, times]) => `${times} ${reason}`).sort();
  const text = counted.length > 0 ? `: ${counted.join(", ")}` : "";
  return `0/${nodes} nodes are available${text}.`;
}

export const defaultPreemption = definePlugin<Arguments>({
  name: NAME,
  arguments: readPreemptionArguments,
  start(context, args) {
    const preemption = new DefaultPreemption(context, args);
    return {
      preEnqueue: (pod) => preemption.preEnqueue(pod),
      postFilter: (cycle, rejected, trial) => preemption.postFilter(cycle, rejected, trial),
      postBind: ({ info }) => preemption.forget(info.uid),
      // Whom it keeps out of the queue it lets in itself.
      requeue: [],
    };
  },
});
