/** Whether enough indexes of a job have succeeded for all of it. */
import type { JobSpec } from "../../api/schema/batch.v1.generated.ts";
import { Indexes } from "./indexes.ts";

/** The message of the condition that the first rule met gives the job. */
export function successPolicyMet(spec: JobSpec, succeeded: Indexes): string | undefined {
  for (const [i, { succeededIndexes, succeededCount }] of (spec.successPolicy?.rules ?? []).entries()) {
    let met: boolean;
    if (succeededIndexes !== undefined) {
      const wanted = Indexes.parse(succeededIndexes, spec.completions ?? 0);
      met = succeeded.shared(wanted) >= (succeededCount ?? wanted.size);
    } else met = succeededCount !== undefined && succeeded.size >= succeededCount;
    if (met) return `Matched rules at index ${i}`;
  }
  return undefined;
}
