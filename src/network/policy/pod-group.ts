/** Pods that policies speak of. Groups of the same selectors are one, however many policies speak of them. */
import { hash } from "node:crypto";
import { type LabelSelectorObject, type Labels, labelSelectorOf } from "../../machinery/selectors/labels.ts";
import type { PodFacts } from "./pod-facts.ts";

export interface PodGroup {
  /** Names it in the kernel. */
  readonly id: string;
  /** The one namespace that its pods are in; undefined where namespaces are selected. */
  readonly namespace: string | undefined;
  has(pod: Pick<PodFacts, "namespace" | "labels">, namespaceLabels: Labels): boolean;
}

export interface PodGroupSpec {
  namespace?: string | undefined;
  namespaceSelector?: LabelSelectorObject | undefined;
  /** Absent: all pods. */
  podSelector?: LabelSelectorObject | undefined;
}

export const digest = (text: string): string => hash("sha256", text, "hex").slice(0, 16);

export function podGroup({ namespace, namespaceSelector, podSelector = {} }: PodGroupSpec): PodGroup {
  const pods = labelSelectorOf(podSelector);
  const namespaces = namespaceSelector && labelSelectorOf(namespaceSelector);
  const where = namespaces
    ? `selected ${namespaces}`
    : namespace === undefined
      ? "all"
      : `named ${namespace}`;
  return {
    id: digest(`${where}\n${pods}`),
    namespace: namespaces ? undefined : namespace,
    has(pod, namespaceLabels) {
      if (
        namespaces
          ? !namespaces.matches(namespaceLabels)
          : namespace !== undefined && pod.namespace !== namespace
      ) {
        return false;
      }
      return pods.matches(pod.labels);
    },
  };
}
