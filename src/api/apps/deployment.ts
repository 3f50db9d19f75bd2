import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { formatLabelSelector } from "../../machinery/selectors/labels.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { templateColumns } from "../core/pod/columns.ts";
import { setPodTemplateDefaults } from "../core/pod/defaults.ts";
import { observingStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type {
  Deployment as DeploymentObject,
  DeploymentSpec,
  DeploymentStrategy,
} from "../schema/apps.v1.generated.ts";
import { isNone, validateAtMostAll, validatePositiveIntOrPercent } from "./rolling-update.ts";
import {
  SPEC,
  STATUS,
  scaleSubresource,
  templateWarnings,
  validateSameSelector,
  validateSelector,
  validateTemplate,
} from "./template.ts";

function setDefaults(object: DeploymentObject): void {
  object.spec ??= {} as DeploymentSpec;
  const { spec } = object;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    spec.strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  if (spec.template) setPodTemplateDefaults(spec.template);
}

function validate({ spec }: DeploymentObject): FieldError[] {
  const errors: FieldError[] = [];
  nonNegative(errors, spec?.replicas, SPEC, "replicas");
  validateSelector(spec?.selector, "deployment", errors);
  validateTemplate(spec ?? {}, errors);
  validateStrategy(spec?.strategy, errors);
  nonNegative(errors, spec?.minReadySeconds, SPEC, "minReadySeconds");
  nonNegative(errors, spec?.revisionHistoryLimit, SPEC, "revisionHistoryLimit");
  const deadline = spec?.progressDeadlineSeconds;
  nonNegative(errors, deadline, SPEC, "progressDeadlineSeconds");
  if (deadline !== undefined && deadline <= (spec?.minReadySeconds ?? 0)) {
    const why = "must be greater than minReadySeconds";
    errors.push(invalidValue(SPEC.child("progressDeadlineSeconds"), deadline, why));
  }
  return errors;
}

function validateStrategy(strategy: DeploymentStrategy | undefined, errors: FieldError[]): void {
  const at = SPEC.child("strategy");
  const path = at.child("rollingUpdate");
  const type = strategy?.type ?? "";
  const update = strategy?.rollingUpdate;
  if (type === "Recreate") {
    if (update) {
      errors.push(forbiddenField(path, "may not be specified when strategy `type` is 'Recreate'"));
    }
  } else if (type !== "RollingUpdate") {
    errors.push(notSupported(at.child("type"), type, ["Recreate", "RollingUpdate"]));
  } else if (!update) errors.push(required(path, "this should be defaulted and never be nil"));
  else {
    const { maxUnavailable, maxSurge } = update;
    validatePositiveIntOrPercent(maxUnavailable, path.child("maxUnavailable"), errors);
    validatePositiveIntOrPercent(maxSurge, path.child("maxSurge"), errors);
    if (isNone(maxUnavailable) && isNone(maxSurge)) {
      const why = "may not be 0 when `maxSurge` is 0";
      errors.push(invalidValue(path.child("maxUnavailable"), maxUnavailable ?? 0, why));
    }
    validateAtMostAll(maxUnavailable, path.child("maxUnavailable"), errors);
  }
}

function validateStatus(
  { status = {} }: DeploymentObject,
  { status: was = {} }: DeploymentObject,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ] as const;
  for (const name of names) nonNegative(errors, status[name], STATUS, name);
  const all = status.replicas ?? 0;
  for (const name of ["updatedReplicas", "readyReplicas", "availableReplicas"] as const) {
    if ((status[name] ?? 0) > all) {
      errors.push(
        invalidValue(STATUS.child(name), status[name] ?? 0, "cannot be greater than status.replicas"),
      );
    }
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    const why = "cannot be greater than readyReplicas";
    errors.push(invalidValue(STATUS.child("availableReplicas"), status.availableReplicas, why));
  }
  if (was.collisionCount !== undefined && (status.collisionCount ?? -1) < was.collisionCount) {
    const why = "cannot be decremented";
    errors.push(invalidValue(STATUS.child("collisionCount"), status.collisionCount ?? null, why));
  }
  return errors;
}

/** Pods without an identity, and their replacement step by step when the template changes. */
export type Deployment = DeploymentObject;

export const Deployment = defineResource<DeploymentObject>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  scope: "Namespaced",
  shortNames: ["deploy"],
  categories: ["all"],
  definition: "apps.v1.Deployment",
  validateName: nameIsDNSSubdomain,
  defaults: setDefaults,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  validateUpdate: (object, old) => validateSameSelector(object.spec, old.spec),
  warnings: ({ spec }) => templateWarnings(spec),
  generationOf: ({ spec, metadata }) => [spec, metadata.annotations],
  subresources: {
    scale: scaleSubresource<DeploymentObject>(),
    status: observingStatus(validateStatus),
  },
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    { name: "Up-to-date", type: "integer", cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: "Available", type: "integer", cell: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns<DeploymentObject>(({ spec }) => spec?.template.spec?.containers),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      cell: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
});
