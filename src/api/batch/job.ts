import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { formatLabelSelector } from "../../machinery/selectors/labels.ts";
import { humanDuration } from "../../machinery/time/duration.ts";
import { SPEC, STATUS, templateWarnings } from "../apps/template.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { templateColumns } from "../core/pod/columns.ts";
import { observingStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { Job as JobObject, JobSpec } from "../schema/batch.v1.generated.ts";
import { generateSelector, setJobDefaults } from "./job-defaults.ts";
import { validateJob } from "./validate-job.ts";

function validateUpdate({ spec: now }: JobObject, old: JobObject): FieldError[] {
  const errors: FieldError[] = [];
  const was = old.spec;
  const immutable = (name: keyof JobSpec, at: FieldPath = SPEC.child(name)) => {
    if (!semanticEqual(now?.[name], was?.[name])) {
      errors.push(invalidValue(at, now?.[name] ?? null, "field is immutable"));
    }
  };
  // An indexed job may grow and shrink, with its completions equal to its parallelism.
  const elastic = now?.completionMode === "Indexed" && now.completions === now.parallelism;
  if (!elastic) immutable("completions");
  immutable("selector");
  if (!canChangeTemplate(old) || !onlySchedulingDiffers(now, was)) immutable("template");
  immutable("completionMode");
  immutable("podFailurePolicy");
  immutable("backoffLimitPerIndex");
  immutable("managedBy");
  immutable("successPolicy");
  return errors;
}

/** A suspended job that never ran, or runs no more, may still be told where its pods go. */
function canChangeTemplate({ spec, status }: JobObject): boolean {
  return spec?.suspend === true && status?.startTime === undefined && (status?.active ?? 0) === 0;
}

function onlySchedulingDiffers(now: JobSpec | undefined, was: JobSpec | undefined): boolean {
  const fixed = (spec: JobSpec | undefined) => {
    const { metadata, spec: pod } = spec?.template ?? {};
    if (!pod) return { metadata };
    const {
      nodeSelector: _n,
      tolerations: _t,
      schedulingGates: _g,
      affinity,
      containers,
      initContainers,
      ...rest
    } = pod;
    const { nodeAffinity: _a, ...pods } = affinity ?? {};
    const unsized = (list: typeof initContainers) =>
      list?.map(({ resources: _r, ...container }) => container);
    const { labels: _l, annotations: _an, ...meta } = metadata ?? {};
    return { meta, rest, pods, containers: unsized(containers), initContainers: unsized(initContainers) };
  };
  return semanticEqual(fixed(now), fixed(was));
}

function isFinished({ status }: JobObject): boolean {
  return isTrue(status, "Complete") || isTrue(status, "Failed");
}

function isTrue(status: JobObject["status"], kind: string): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === kind && is === "True") ?? false;
}

function validateStatus(job: JobObject, old: JobObject): FieldError[] {
  const errors: FieldError[] = [];
  const { status = {} } = job;
  const was = old.status ?? {};
  for (const name of ["active", "succeeded", "failed", "ready", "terminating"] as const) {
    nonNegative(errors, status[name], STATUS, name);
  }
  if ((status.ready ?? 0) > (status.active ?? 0)) {
    const why = "cannot set more ready pods than active";
    errors.push(invalidValue(STATUS.child("ready"), status.ready, why));
  }
  if (isTrue(status, "Complete") && isTrue(status, "Failed")) {
    const why = "cannot set Complete=True and Failed=true conditions";
    errors.push(invalidValue(STATUS.child("conditions"), status.conditions, why));
  }
  if (status.completionTime !== undefined && !isTrue(status, "Complete")) {
    const why = "cannot set completionTime when there is no Complete=True condition";
    errors.push(invalidValue(STATUS.child("completionTime"), status.completionTime, why));
  }
  if (isTrue(status, "Complete") && status.completionTime === undefined) {
    const body = "Required value: completionTime is required for Complete jobs";
    errors.push({ type: "FieldValueRequired", field: "status.completionTime", body });
  }
  if (isFinished(job) && (status.active ?? 0) > 0) {
    errors.push(invalidValue(STATUS.child("active"), status.active, "active>0 is invalid for finished job"));
  }
  if (was.completionTime !== undefined && status.completionTime !== was.completionTime) {
    const why = "field is immutable";
    errors.push(invalidValue(STATUS.child("completionTime"), status.completionTime ?? null, why));
  }
  for (const kind of ["Complete", "Failed"]) {
    if (isTrue(was, kind) && !isTrue(status, kind)) {
      const why = `cannot disable the terminal ${kind}=True condition`;
      errors.push(invalidValue(STATUS.child("conditions"), status.conditions ?? null, why));
    }
  }
  if ((status.succeeded ?? 0) < (was.succeeded ?? 0) && old.spec?.completionMode !== "Indexed") {
    errors.push(
      invalidValue(STATUS.child("succeeded"), status.succeeded ?? 0, "cannot decrease the succeeded counter"),
    );
  }
  return errors;
}

function statusText(job: JobObject): string {
  if (isTrue(job.status, "Complete")) return "Complete";
  if (isTrue(job.status, "Failed")) return "Failed";
  if (job.metadata.deletionTimestamp) return "Terminating";
  for (const kind of ["Suspended", "FailureTarget", "SuccessCriteriaMet"]) {
    if (isTrue(job.status, kind)) return kind;
  }
  return "Running";
}

function completions({ spec, status }: JobObject): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration({ status }: JobObject, now: Date): string {
  if (!status?.startTime) return "";
  const failed = status.conditions?.find(({ type, status: is }) => type === "Failed" && is === "True");
  const end = status.completionTime ?? failed?.lastTransitionTime;
  return humanDuration((end ? Date.parse(end) : now.getTime()) - Date.parse(status.startTime));
}

/** Pods that run to their end. */
export type Job = JobObject;

export const Job = defineResource<JobObject>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  scope: "Namespaced",
  categories: ["all"],
  definition: "batch.v1.Job",
  validateName: nameIsDNSSubdomain,
  defaults: setJobDefaults,
  prepareForCreate(job) {
    generateSelector(job);
    // As whoever reads one sees it upstream, where defaults are applied to what is read too.
    const labels = job.spec?.template?.metadata?.labels;
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
    job.status = {};
  },
  prepareForUpdate: (job, old) => take(job, old, "status"),
  validate: validateJob,
  validateUpdate,
  warnings: ({ spec }) => templateWarnings(spec),
  generationOf: ({ spec }) => spec,
  orphansByDefault: true,
  subresources: { status: observingStatus(validateStatus) },
  fields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    { name: "Status", type: "string", cell: statusText },
    { name: "Completions", type: "string", cell: completions },
    { name: "Duration", type: "string", cell: duration },
    ageColumn,
    ...templateColumns<JobObject>(({ spec }) => spec?.template.spec?.containers),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      cell: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
});
