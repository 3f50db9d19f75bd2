/** Which taints of a node a pod bears (k8s.io/component-helpers/scheduling/corev1). */
import type { Taint, Toleration } from "../schema/core.v1.generated.ts";

/** An empty key with Exists bears every taint; an empty effect bears every effect. */
export function toleratesTaint({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  switch (operator || "Equal") {
    case "Equal":
      return key === taint.key && (value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    case "Lt":
    case "Gt":
      return compares(operator as string, value, taint.value);
    default:
      return false;
  }
}

function compares(operator: string, tolerated = "", tainted = ""): boolean {
  const [limit, value] = [wholeNumber(tolerated), wholeNumber(tainted)];
  if (limit === undefined || value === undefined) return false;
  return operator === "Lt" ? value < limit : value > limit;
}

function wholeNumber(text: string): bigint | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? BigInt(text) : undefined;
}

/** The first taint with one of the effects that no toleration bears. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  if (!taints || taints.length === 0) return undefined;
  return taints.find(
    (taint) =>
      effects.includes(taint.effect) && !tolerations?.some((toleration) => toleratesTaint(toleration, taint)),
  );
}
