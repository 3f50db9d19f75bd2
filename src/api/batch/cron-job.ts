import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageSince } from "../../machinery/time/duration.ts";
import { SPEC } from "../apps/template.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { templateColumns } from "../core/pod/columns.ts";
import { setPodTemplateDefaults } from "../core/pod/defaults.ts";
import { validateTemplateMetadata } from "../core/pod/validate-template-metadata.ts";
import { specWarnings } from "../core/pod/warnings.ts";
import { observingStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { CronJob as CronJobObject, CronJobSpec, JobSpec } from "../schema/batch.v1.generated.ts";
import { isTimeZone, scheduleError } from "./schedule.ts";
import { validateJobSpec } from "./validate-job.ts";

const CONCURRENCY = ["Allow", "Forbid", "Replace"];
/** Eleven characters are left for the time that is put behind the name of each job. */
const MAX_NAME = 52;

function setDefaults(object: CronJobObject): void {
  object.spec ??= {} as CronJobSpec;
  const { spec } = object;
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.spec ??= {} as JobSpec;
  for (const rule of spec.jobTemplate.spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  // All else of the job is decided when it is made.
  if (spec.jobTemplate.spec.template) setPodTemplateDefaults(spec.jobTemplate.spec.template);
}

function validate({ metadata, spec }: CronJobObject): FieldError[] {
  const errors: FieldError[] = [];
  if ((metadata.name ?? "").length > MAX_NAME) {
    const why = `must be no more than ${MAX_NAME} characters`;
    errors.push(invalidValue(FieldPath.root("metadata", "name"), metadata.name, why));
  }
  if (!spec?.schedule) errors.push(required(SPEC.child("schedule")));
  else {
    const why = scheduleError(spec.schedule);
    if (why) errors.push(invalidValue(SPEC.child("schedule"), spec.schedule, why));
  }
  validateTimeZone(spec, errors);
  nonNegative(errors, spec?.startingDeadlineSeconds, SPEC, "startingDeadlineSeconds");
  const policy = spec?.concurrencyPolicy;
  if (!policy) errors.push(required(SPEC.child("concurrencyPolicy")));
  else if (!CONCURRENCY.includes(policy)) {
    errors.push(notSupported(SPEC.child("concurrencyPolicy"), policy, CONCURRENCY));
  }
  nonNegative(errors, spec?.successfulJobsHistoryLimit, SPEC, "successfulJobsHistoryLimit");
  nonNegative(errors, spec?.failedJobsHistoryLimit, SPEC, "failedJobsHistoryLimit");
  validateJobTemplate(spec, errors);
  return errors;
}

function validateTimeZone(spec: CronJobSpec | undefined, errors: FieldError[]): void {
  const path = SPEC.child("timeZone");
  const zone = spec?.timeZone;
  if (zone !== undefined && spec?.schedule?.includes("TZ")) {
    const why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
    errors.push(invalidValue(SPEC.child("schedule"), spec.schedule, why));
  } else if (zone === undefined && spec?.schedule?.includes("TZ")) {
    const why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    errors.push(invalidValue(SPEC.child("schedule"), spec.schedule, why));
  }
  if (zone === undefined) return;
  if (zone === "") errors.push(invalidValue(path, zone, "timeZone must be nil or non-empty string"));
  else if (zone.toLowerCase() === "local") {
    errors.push(
      invalidValue(
        path,
        zone,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
      ),
    );
  } else if (!isTimeZone(zone)) errors.push(invalidValue(path, zone, `unknown time zone ${zone}`));
}

function validateJobTemplate(spec: CronJobSpec | undefined, errors: FieldError[]): void {
  const at = SPEC.child("jobTemplate");
  const job = spec?.jobTemplate?.spec;
  validateTemplateMetadata(spec?.jobTemplate?.metadata, at.child("metadata"), errors);
  validateJobSpec(job ?? ({} as JobSpec), at.child("spec"), errors);
  if (job?.selector) {
    errors.push(
      invalidValue(at.child("spec", "selector"), job.selector, "`selector` will be auto-generated"),
    );
  }
  if (job?.manualSelector) {
    errors.push(notSupported(at.child("spec", "manualSelector"), true, ["nil", "false"]));
  }
}

/** Jobs by the clock. */
export type CronJob = CronJobObject;

export const CronJob = defineResource<CronJobObject>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  scope: "Namespaced",
  shortNames: ["cj"],
  categories: ["all"],
  definition: "batch.v1.CronJob",
  validateName: nameIsDNSSubdomain,
  defaults: setDefaults,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  warnings({ spec }) {
    const out: string[] = [];
    const template = spec?.jobTemplate?.spec?.template;
    if (template?.spec) {
      specWarnings(
        template.spec,
        template.metadata?.annotations ?? {},
        "spec.jobTemplate.spec.template",
        out,
      );
    }
    return out;
  },
  generationOf: ({ spec }) => spec,
  subresources: { status: observingStatus<CronJobObject>(() => []) },
  columns: [
    nameColumn,
    { name: "Schedule", type: "string", cell: ({ spec }) => spec?.schedule ?? "" },
    { name: "Timezone", type: "string", cell: ({ spec }) => spec?.timeZone ?? "<none>" },
    {
      name: "Suspend",
      type: "string",
      cell: ({ spec }) => (spec?.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False"),
    },
    { name: "Active", type: "integer", cell: ({ status }) => status?.active?.length ?? 0 },
    {
      name: "Last Schedule",
      type: "string",
      cell: ({ status }, now) =>
        status?.lastScheduleTime ? ageSince(status.lastScheduleTime, now) : "<none>",
    },
    ageColumn,
    ...templateColumns<CronJobObject>(({ spec }) => spec?.jobTemplate.spec?.template.spec?.containers),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      cell: ({ spec }) => (spec?.jobTemplate.spec?.selector ? "" : "<none>"),
    },
  ],
});
