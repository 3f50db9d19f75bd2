/** Which pods each budget selects, kept as pods and budgets change: no count of a budget looks at other pods. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodDisruptionBudget } from "../../api/schema/policy.v1.generated.ts";
import type { Change } from "../../client/informer/informer.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import {
  type LabelSelector,
  labelSelectorOf,
  NOTHING,
  SelectorError,
} from "../../machinery/selectors/labels.ts";

interface Budget {
  key: string;
  selector: LabelSelector;
  pods: Map<string, Pod>;
}

export class BudgetPods {
  private readonly pods: Lister<Pod>;
  private readonly byNamespace = new Map<string, Map<string, Budget>>();

  constructor(pods: Lister<Pod>) {
    this.pods = pods;
  }

  budgetChanged({ key, now, was }: Change<PodDisruptionBudget>): void {
    const namespace = (now ?? was!).metadata.namespace ?? "";
    const budgets = this.byNamespace.get(namespace) ?? new Map<string, Budget>();
    if (!now) {
      budgets.delete(key);
      if (budgets.size === 0) this.byNamespace.delete(namespace);
      return;
    }
    if (budgets.has(key) && was && semanticEqual(now.spec?.selector, was.spec?.selector)) return;
    const budget: Budget = { key, selector: selectorOf(now), pods: new Map() };
    for (const pod of this.pods.list(namespace)) {
      if (budget.selector.matches(pod.metadata.labels)) budget.pods.set(pod.metadata.name!, pod);
    }
    this.byNamespace.set(namespace, budgets.set(key, budget));
  }

  /** Calls `touched` with the key of each budget that selects the pod, or did. */
  podChanged({ now, was }: Change<Pod>, touched: (key: string) => void): void {
    const { namespace = "", name = "" } = (now ?? was!).metadata;
    const budgets = this.byNamespace.get(namespace);
    if (!budgets) return;
    for (const { key, selector, pods } of budgets.values()) {
      if (now && selector.matches(now.metadata.labels)) pods.set(name, now);
      else if (!pods.delete(name)) continue;
      touched(key);
    }
  }

  /** The keys of budgets of the namespace that select what has the labels. */
  *selecting(namespace: string, labels: Readonly<Record<string, string>> | undefined): Generator<string> {
    for (const { key, selector } of this.byNamespace.get(namespace)?.values() ?? []) {
      if (selector.matches(labels)) yield key;
    }
  }

  of(namespace: string, key: string): Pod[] {
    return [...(this.byNamespace.get(namespace)?.get(key)?.pods.values() ?? [])];
  }
}

function selectorOf({ spec }: PodDisruptionBudget): LabelSelector {
  try {
    return labelSelectorOf(spec?.selector);
  } catch (error) {
    if (error instanceof SelectorError) return NOTHING;
    throw error;
  }
}
