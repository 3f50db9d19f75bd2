import type { Facts } from "../facts.ts";

export const batchV1: Facts = {
  id: "batch.v1",
  group: "batch",
  messages: `
  CronJob@: 1 metadata, 2 spec, 3 status
  CronJobList@: 1 metadata, 2 items
  CronJobSpec: 1 schedule, 2 startingDeadlineSeconds, 3 concurrencyPolicy, 4 suspend, 5 jobTemplate,
    6 successfulJobsHistoryLimit, 7 failedJobsHistoryLimit, 8 timeZone
  CronJobStatus: 1 active, 4 lastScheduleTime, 5 lastSuccessfulTime
  Job@: 1 metadata, 2 spec, 3 status
  JobCondition: 1 type, 2 status, 3 lastProbeTime, 4 lastTransitionTime, 5 reason, 6 message
  JobList@: 1 metadata, 2 items
  JobSpec: 1 parallelism, 2 completions, 3 activeDeadlineSeconds, 4 selector, 5 manualSelector,
    6 template, 7 backoffLimit, 8 ttlSecondsAfterFinished, 9 completionMode, 10 suspend,
    11 podFailurePolicy, 12 backoffLimitPerIndex, 13 maxFailedIndexes, 14 podReplacementPolicy,
    15 managedBy, 16 successPolicy
  JobStatus: 1 conditions, 2 startTime, 3 completionTime, 4 active, 5 succeeded, 6 failed,
    7 completedIndexes, 8 uncountedTerminatedPods, 9 ready, 10 failedIndexes, 11 terminating
  JobTemplateSpec: 1 metadata, 2 spec
  PodFailurePolicy: 1 rules
  PodFailurePolicyOnExitCodesRequirement: 1 containerName, 2 operator, 3 values
  PodFailurePolicyOnPodConditionsPattern: 1 type, 2 status
  PodFailurePolicyRule: 1 action, 2 onExitCodes, 3 onPodConditions
  SuccessPolicy: 1 rules
  SuccessPolicyRule: 1 succeededIndexes, 2 succeededCount
  UncountedTerminatedPods: 1 succeeded, 2 failed
  `,
  merging: `
  CronJobStatus: active atomic
  JobStatus: conditions atomic merge(type)
  PodFailurePolicy: rules atomic
  PodFailurePolicyOnExitCodesRequirement: values set
  PodFailurePolicyRule: onPodConditions atomic
  SuccessPolicy: rules atomic
  UncountedTerminatedPods: failed set, succeeded set
  `,
  enums: `
  CronJobSpec: concurrencyPolicy Allow|Forbid|Replace
  JobSpec: completionMode Indexed|NonIndexed, podReplacementPolicy Failed|TerminatingOrFailed
  PodFailurePolicyOnExitCodesRequirement: operator In|NotIn
  PodFailurePolicyRule: action Count|FailIndex|FailJob|Ignore
  `,
  pointers: `
  CronJobSpec: failedJobsHistoryLimit, startingDeadlineSeconds, successfulJobsHistoryLimit, suspend, timeZone
  JobSpec: activeDeadlineSeconds, backoffLimit, backoffLimitPerIndex, completionMode, completions, managedBy,
    manualSelector, maxFailedIndexes, parallelism, podReplacementPolicy, suspend, ttlSecondsAfterFinished
  JobStatus: failedIndexes, ready, terminating
  PodFailurePolicyOnExitCodesRequirement: containerName
  SuccessPolicyRule: succeededCount, succeededIndexes
  `,
  keptEmpty: `
  PodFailurePolicyRule: onPodConditions
  `,
};
