/** What a Job gets where it says nothing, and the labels by which it knows its pods. */
import { put } from "../../machinery/json/json-object.ts";
import { setPodTemplateDefaults } from "../core/pod/defaults.ts";
import type { Job, JobSpec } from "../schema/batch.v1.generated.ts";

export const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";
export const JOB_NAME = "batch.kubernetes.io/job-name";
/** The labels' names before 1.27, which are still written. */
export const OLD_CONTROLLER_UID = "controller-uid";
export const OLD_JOB_NAME = "job-name";
const MAX_INT32 = 2 ** 31 - 1;

export function setJobDefaults(job: Job): void {
  job.spec ??= {} as JobSpec;
  setJobSpecDefaults(job.spec);
  const labels = job.spec.template?.metadata?.labels;
  if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
}

export function setJobSpecDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  // Where each index has retries of its own, the job as a whole has no limit.
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  if (spec.template) setPodTemplateDefaults(spec.template);
}

/**
 * Gives the template the labels of this one job, and the job the selector for them, so that no two jobs ever claim the
 * same pods. What the user wrote under these names stays, and validation refuses it where it differs.
 */
export function generateSelector({ metadata, spec }: Job): void {
  if (!spec || spec.manualSelector) return;
  spec.template ??= {};
  spec.template.metadata ??= {};
  const labels = { ...spec.template.metadata.labels };
  const { uid = "", name = "" } = metadata;
  for (const [key, value] of [
    [OLD_JOB_NAME, name],
    [JOB_NAME, name],
    [OLD_CONTROLLER_UID, uid],
    [CONTROLLER_UID, uid],
  ] as const) {
    if (!Object.hasOwn(labels, key)) put(labels, key, value);
  }
  spec.template.metadata.labels = labels;
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels };
  if (!Object.hasOwn(spec.selector.matchLabels, CONTROLLER_UID)) {
    spec.selector.matchLabels[CONTROLLER_UID] = uid;
  }
}
