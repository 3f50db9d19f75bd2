/**
 * matchLabelKeys mean the values that the pod itself has: creation writes them into the selectors, so that whoever reads
 * the pod later need not know its labels of that moment (KEP-3633, KEP-3243).
 */
import type { Pod as PodObject } from "../../schema/core.v1.generated.ts";
import type { LabelSelector } from "../../schema/meta.v1.generated.ts";

interface Selecting {
  labelSelector?: LabelSelector;
}

type Labels = Readonly<Record<string, string>>;

function merge(term: Selecting, keys: readonly string[] | undefined, operator: string, labels: Labels): void {
  if (!keys || !term.labelSelector) return;
  for (const key of keys) {
    if (!Object.hasOwn(labels, key)) continue;
    const selector: LabelSelector = term.labelSelector;
    const added = { key, operator, values: [labels[key]!] };
    term.labelSelector = { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), added] };
  }
}

/** Changes the pod in place; for new pods only. */
export function mergeLabelKeys({ metadata, spec }: PodObject): void {
  const { labels = {} } = metadata;
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const term of [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)]) {
      if (!term) continue;
      merge(term, term.matchLabelKeys, "In", labels);
      merge(term, term.mismatchLabelKeys, "NotIn", labels);
    }
  }
  for (const constraint of spec?.topologySpreadConstraints ?? []) {
    merge(constraint, constraint.matchLabelKeys, "In", labels);
  }
}
