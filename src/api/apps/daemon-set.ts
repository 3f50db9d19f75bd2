import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { formatLabelSelector, formatLabels } from "../../machinery/selectors/labels.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { templateColumns } from "../core/pod/columns.ts";
import { setPodTemplateDefaults } from "../core/pod/defaults.ts";
import { observingStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { DaemonSet as DaemonSetObject, DaemonSetSpec } from "../schema/apps.v1.generated.ts";
import { isNone, validateAtMostAll, validatePositiveIntOrPercent } from "./rolling-update.ts";
import {
  SPEC,
  STATUS,
  templateWarnings,
  validateSameSelector,
  validateSelector,
  validateTemplate,
} from "./template.ts";

function setDefaults(object: DaemonSetObject): void {
  object.spec ??= {} as DaemonSetSpec;
  const { spec } = object;
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  if (spec.template) setPodTemplateDefaults(spec.template);
}

function validate({ spec }: DaemonSetObject): FieldError[] {
  const errors: FieldError[] = [];
  validateSelector(spec?.selector, "daemonset", errors);
  validateTemplate(spec ?? {}, errors);
  nonNegative(errors, spec?.minReadySeconds, SPEC, "minReadySeconds");
  validateStrategy(spec, errors);
  nonNegative(errors, spec?.revisionHistoryLimit, SPEC, "revisionHistoryLimit");
  return errors;
}

function validateStrategy(spec: DaemonSetSpec | undefined, errors: FieldError[]): void {
  const at = SPEC.child("updateStrategy");
  const { type = "", rollingUpdate } = spec?.updateStrategy ?? {};
  if (type === "OnDelete") return;
  if (type !== "RollingUpdate") {
    errors.push(notSupported(at.child("type"), type, ["RollingUpdate", "OnDelete"]));
    return;
  }
  const path = at.child("rollingUpdate");
  if (!rollingUpdate) {
    errors.push(required(path));
    return;
  }
  const { maxUnavailable, maxSurge } = rollingUpdate;
  validatePositiveIntOrPercent(maxUnavailable, path.child("maxUnavailable"), errors);
  validatePositiveIntOrPercent(maxSurge, path.child("maxSurge"), errors);
  validateAtMostAll(maxUnavailable, path.child("maxUnavailable"), errors);
  validateAtMostAll(maxSurge, path.child("maxSurge"), errors);
  if (!isNone(maxUnavailable) && !isNone(maxSurge)) {
    errors.push(
      invalidValue(path.child("maxSurge"), maxSurge, "may not be set when maxUnavailable is non-zero"),
    );
  } else if (isNone(maxUnavailable) && isNone(maxSurge)) {
    errors.push(required(path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
  }
}

function validateStatus({ status }: DaemonSetObject, { status: was }: DaemonSetObject): FieldError[] {
  const errors: FieldError[] = [];
  const names = [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ] as const;
  for (const name of names) nonNegative(errors, status?.[name], STATUS, name);
  if (was?.collisionCount !== undefined && (status?.collisionCount ?? -1) < was.collisionCount) {
    errors.push(
      invalidValue(STATUS.child("collisionCount"), status?.collisionCount, "cannot be decremented"),
    );
  }
  return errors;
}

/** How often the template changed: a field of old versions, which v1 keeps as an annotation and as a label of pods. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

function templateGeneration({ metadata }: DaemonSetObject): number {
  const generation = Number(metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
  return Number.isSafeInteger(generation) ? generation : 0;
}

function setTemplateGeneration({ metadata }: DaemonSetObject, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

/** A pod on every node that fits. */
export type DaemonSet = DaemonSetObject;

export const DaemonSet = defineResource<DaemonSetObject>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  scope: "Namespaced",
  shortNames: ["ds"],
  categories: ["all"],
  definition: "apps.v1.DaemonSet",
  validateName: nameIsDNSSubdomain,
  defaults: setDefaults,
  prepareForCreate(object) {
    setTemplateGeneration(object, Math.max(templateGeneration(object), 1));
    object.status = {
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
    };
  },
  prepareForUpdate(object, old) {
    take(object, old, "status");
    const isNew = !semanticEqual(object.spec?.template, old.spec?.template);
    setTemplateGeneration(object, templateGeneration(old) + (isNew ? 1 : 0));
  },
  validate,
  validateUpdate: (object, old) => validateSameSelector(object.spec, old.spec),
  warnings: ({ spec }) => templateWarnings(spec),
  generationOf: ({ spec }) => spec,
  subresources: { status: observingStatus(validateStatus) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { name: "Current", type: "integer", cell: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { name: "Ready", type: "integer", cell: ({ status }) => status?.numberReady ?? 0 },
    { name: "Up-to-date", type: "integer", cell: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", cell: ({ status }) => status?.numberAvailable ?? 0 },
    {
      name: "Node Selector",
      type: "string",
      cell: ({ spec }) => formatLabels(spec?.template.spec?.nodeSelector),
    },
    ageColumn,
    ...templateColumns<DaemonSetObject>(({ spec }) => spec?.template.spec?.containers),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      cell: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
});
