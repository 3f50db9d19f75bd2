/** How long a pod bears the NoExecute taints of its node. Pure. */
import type { Taint } from "../../api/core/node.ts";
import { toleratesTaint } from "../../api/core/tolerations.ts";
import type { Toleration } from "../../api/schema/core.v1.generated.ts";

export function noExecuteTaints(taints: readonly Taint[] = []): readonly Taint[] {
  return taints.filter(({ effect }) => effect === "NoExecute");
}

/** Milliseconds; 0 where one taint is not borne at all, undefined for ever. Of each taint the first match counts. */
export function bearsFor(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] = [],
): number | undefined {
  let shortest: number | undefined;
  for (const taint of taints) {
    const match = tolerations.find((toleration) => toleratesTaint(toleration, taint));
    if (!match) return 0;
    const { tolerationSeconds } = match;
    if (tolerationSeconds === undefined) continue;
    const ms = Math.max(0, tolerationSeconds * 1000);
    if (shortest === undefined || ms < shortest) shortest = ms;
  }
  return shortest;
}

/** Whether the two lists say the same, in order. */
export function sameTaints(a: readonly Taint[] = [], b: readonly Taint[] = []): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i]!;
      return (
        one.key === other.key && one.effect === other.effect && (one.value ?? "") === (other.value ?? "")
      );
    })
  );
}

export function sameTolerations(a: readonly Toleration[] = [], b: readonly Toleration[] = []): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i]!;
      return (
        one.key === other.key &&
        one.effect === other.effect &&
        one.operator === other.operator &&
        one.value === other.value &&
        one.tolerationSeconds === other.tolerationSeconds
      );
    })
  );
}
