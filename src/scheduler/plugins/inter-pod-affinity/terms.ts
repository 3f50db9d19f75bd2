/** Which pods a term of pod affinity means. */
import type { LabelSelector } from "../../../machinery/selectors/labels.ts";
import type { AffinityTerm, PodInfo } from "../../framework/pod-info.ts";

/** The labels of a namespace by its name; of one that is not known: none. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

export function namespaceMatches(term: AffinityTerm, namespace: string, labelsOf: NamespaceLabels): boolean {
  if (term.namespaces.has(namespace)) return true;
  return term.namespaceSelector?.matches(labelsOf(namespace)) ?? false;
}

export function termMatches(term: AffinityTerm, info: PodInfo, labelsOf: NamespaceLabels): boolean {
  const { namespace = "", labels } = info.pod.metadata;
  return term.selector.matches(labels) && namespaceMatches(term, namespace, labelsOf);
}

/** Everything and nothing have the same text. */
export function selectorKey(selector: LabelSelector): string {
  return selector.everything ? "*" : selector.requirements.length === 0 ? "!" : selector.toString();
}

/** What a term means, without its topology. */
export function termKey({ selector, namespaces, namespaceSelector }: AffinityTerm): string {
  const own = namespaces.size === 1 ? [...namespaces][0] : [...namespaces].sort().join();
  return `${own}\n${namespaceSelector ? selectorKey(namespaceSelector) : ""}\n${selectorKey(selector)}`;
}
