/** What a job's podFailurePolicy makes of a failed pod: the first rule that matches decides. */
import type { Pod } from "../../api/core/pods.ts";
import type {
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
} from "../../api/schema/batch.v1.generated.ts";
import type { ContainerStatus } from "../../api/schema/core.v1.generated.ts";

export interface Verdict {
  /** Absent where no rule matches. */
  action?: string;
  /** Whether the failure counts against the job's backoffLimit. */
  counts: boolean;
  /** Why the job fails, of FailJob. */
  message?: string;
}

const COUNTS: Verdict = { counts: true };

export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): Verdict {
  if (!policy) return COUNTS;
  for (const [i, { action, onExitCodes, onPodConditions }] of policy.rules.entries()) {
    let why: string | undefined;
    const { namespace, name } = pod.metadata;
    if (onExitCodes) {
      const container = endedAs(pod, onExitCodes);
      if (!container) continue;
      const code = container.state?.terminated?.exitCode;
      why = `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${code}`;
    } else {
      const type = conditionOf(pod, onPodConditions ?? []);
      if (type === undefined) continue;
      why = `Pod ${namespace}/${name} has condition ${type}`;
    }
    if (action === "Ignore") return { action, counts: false };
    if (action !== "FailJob") return { action, counts: true };
    return { action, counts: true, message: `${why} matching ${action} rule at index ${i}` };
  }
  return COUNTS;
}

function endedAs(
  { status }: Pod,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): ContainerStatus | undefined {
  const matches = ({ name, state }: ContainerStatus): boolean => {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return operator === "In" ? values.includes(code) : operator === "NotIn" && !values.includes(code);
  };
  return status?.containerStatuses?.find(matches) ?? status?.initContainerStatuses?.find(matches);
}

function conditionOf(
  { status }: Pod,
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
): string | undefined {
  return status?.conditions?.find((condition) =>
    patterns.some(
      ({ type, status: wanted = "True" }) => condition.type === type && condition.status === wanted,
    ),
  )?.type;
}
