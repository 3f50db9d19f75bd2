/** What the status of a namespace on its way out says of what still stands in the way. */
import type { NamespaceCondition } from "../../api/core/namespace.ts";
import type { Discovery } from "../../client/discovery.ts";
import type { Remains } from "./delete-content.ts";

interface Problem {
  reason: string;
  message: string;
}

const IN_ORDER = [
  ["NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"],
  [
    "NamespaceDeletionGroupVersionParsingFailure",
    "ParsedGroupVersions",
    "All legacy kube types successfully parsed",
  ],
  [
    "NamespaceDeletionContentFailure",
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
  ["NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"],
  ["NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"],
] as const;

type ConditionType = (typeof IN_ORDER)[number][0];

export interface Findings {
  discovery: Discovery | Error;
  remains: readonly Remains[];
  errors: readonly Error[];
}

/** The conditions as they should be now; the very same array where nothing changed. */
export function namespaceConditions(
  were: readonly NamespaceCondition[],
  findings: Findings,
  now: string,
): readonly NamespaceCondition[] {
  const problems = problemsOf(findings);
  const conditions = [...were];
  let changed = false;
  for (const [type, okReason, okMessage] of IN_ORDER) {
    const { reason, message } = problems[type] ?? { reason: okReason, message: okMessage };
    const status = problems[type] ? "True" : "False";
    const at = conditions.findIndex((condition) => condition.type === type);
    const was = conditions[at];
    if (was && was.status === status && was.reason === reason && was.message === message) continue;
    changed = true;
    const lastTransitionTime = was?.status === status ? was.lastTransitionTime : now;
    const condition = { type, status, lastTransitionTime, reason, message };
    if (was) conditions[at] = condition;
    else conditions.push(condition);
  }
  return changed ? conditions : were;
}

function problemsOf({ discovery, remains, errors }: Findings): Partial<Record<ConditionType, Problem>> {
  const problems: Partial<Record<ConditionType, Problem>> = {};
  const undiscovered = discoveryProblem(discovery);
  if (undiscovered) {
    problems.NamespaceDeletionDiscoveryFailure = { reason: "DiscoveryFailed", message: undiscovered };
  }
  if (errors.length > 0) {
    const texts = errors.map(({ message }) => message).sort();
    problems.NamespaceDeletionContentFailure = {
      reason: "ContentDeletionFailed",
      message: `Failed to delete all resource types, ${errors.length} remaining: ${texts.join(", ")}`,
    };
  }
  const left = remains.filter(({ count }) => count > 0);
  if (left.length > 0) {
    const texts = left.map(
      ({ kind, count }) => `${kind.plural}.${kind.group} has ${count} resource instances`,
    );
    problems.NamespaceContentRemaining = {
      reason: "SomeResourcesRemain",
      message: `Some resources are remaining: ${texts.sort().join(", ")}`,
    };
  }
  const finalizers = new Map<string, number>();
  for (const { finalizers: of } of left) {
    for (const [name, count] of of) finalizers.set(name, (finalizers.get(name) ?? 0) + count);
  }
  if (finalizers.size > 0) {
    const texts = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
    problems.NamespaceFinalizersRemaining = {
      reason: "SomeFinalizersRemain",
      message: `Some content in the namespace has finalizers remaining: ${texts.sort().join(", ")}`,
    };
  }
  return problems;
}

function discoveryProblem(discovery: Discovery | Error): string | undefined {
  if (discovery instanceof Error) return discovery.message;
  const { failed } = discovery;
  if (failed.length === 0) return undefined;
  const texts = failed.map(({ groupVersion, why }) => `${groupVersion}: ${why}`).sort();
  const what = `unable to retrieve the complete list of server APIs: ${texts.join(", ")}`;
  return `Discovery failed for some groups, ${failed.length} failing: ${what}`;
}
