/** Which nodes a selector means (k8s.io/component-helpers/scheduling/corev1/nodeaffinity). */
import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from "../schema/core.v1.generated.ts";

/** What selectors look at of a node. */
export interface LabelledNode {
  metadata: { name?: string; labels?: Record<string, string> };
}

export type NodeMatcher = (node: LabelledNode) => boolean;

/** Terms are ORed, the requirements of one ANDed. A term without any matches nothing, nor does one that is not valid. */
export function nodeSelectorMatcher({ nodeSelectorTerms }: NodeSelector): NodeMatcher {
  const terms = nodeSelectorTerms.map(nodeSelectorTermMatcher);
  return (node) => terms.some((matches) => matches(node));
}

export function nodeSelectorTermMatcher({ matchExpressions, matchFields }: NodeSelectorTerm): NodeMatcher {
  const expressions = matchExpressions ?? [];
  const fields = matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return () => false;
  const requirements = expressions.map(requirementMatcher);
  const named = fields.map((field) =>
    field.key === "metadata.name" ? requirementMatcher(field) : () => false,
  );
  return ({ metadata: { labels, name } }) =>
    requirements.every((matches, i) => {
      const { key } = expressions[i]!;
      return matches(labels && Object.hasOwn(labels, key) ? labels[key] : undefined);
    }) && named.every((matches) => matches(name));
}

/** What a pod requires of its node by nodeSelector and required node affinity; undefined: nothing. */
export function requiredNodeMatcher({ nodeSelector, affinity }: PodSpec): NodeMatcher | undefined {
  const labels = Object.entries(nodeSelector ?? {});
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (labels.length === 0 && !required) return undefined;
  const matches = required && nodeSelectorMatcher(required);
  return (node) => {
    const own = node.metadata.labels;
    for (const [key, value] of labels)
      if (!own || !Object.hasOwn(own, key) || own[key] !== value) return false;
    return matches ? matches(node) : true;
  };
}

function requirementMatcher({ operator, values = [] }: NodeSelectorRequirement): (value?: string) => boolean {
  switch (operator) {
    case "In":
      return (value) => value !== undefined && values.includes(value);
    case "NotIn":
      return (value) => value === undefined || !values.includes(value);
    case "Exists":
      return (value) => value !== undefined;
    case "DoesNotExist":
      return (value) => value === undefined;
    case "Gt":
    case "Lt":
      return comparison(operator, values[0] ?? "");
    default:
      return () => false;
  }
}

function comparison(operator: "Gt" | "Lt", limit: string): (value?: string) => boolean {
  const bound = wholeNumber(limit);
  return (text) => {
    const value = text === undefined ? undefined : wholeNumber(text);
    if (value === undefined || bound === undefined) return false;
    return operator === "Gt" ? value > bound : value < bound;
  };
}

function wholeNumber(text: string): bigint | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? BigInt(text) : undefined;
}
