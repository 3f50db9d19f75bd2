import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { templateColumns } from "../core/pod/columns.ts";
import { setPodTemplateDefaults } from "../core/pod/defaults.ts";
import { observingStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { StatefulSet as StatefulSetObject, StatefulSetSpec } from "../schema/apps.v1.generated.ts";
import { isNone, validateAtMostAll, validatePositiveIntOrPercent } from "./rolling-update.ts";
import {
  SPEC,
  STATUS,
  scaleSubresource,
  templateWarnings,
  validateSelector,
  validateTemplate,
} from "./template.ts";

const POLICIES = ["OrderedReady", "Parallel"];
const RETENTION = ["Retain", "Delete"];
/** What may change of a running set; all else is part of its pods' identity. */
const UPDATABLE: readonly (keyof StatefulSetSpec)[] = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

function setDefaults(object: StatefulSetObject): void {
  object.spec ??= {} as StatefulSetSpec;
  const { spec } = object;
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  if (spec.template) setPodTemplateDefaults(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= "v1";
    claim.kind ||= "PersistentVolumeClaim";
    if (claim.spec) claim.spec.volumeMode ??= "Filesystem";
    claim.status ??= {};
    claim.status.phase ||= "Pending";
  }
}

function validate({ spec }: StatefulSetObject): FieldError[] {
  const errors: FieldError[] = [];
  const policy = spec?.podManagementPolicy;
  if (!policy) errors.push(required(SPEC.child("podManagementPolicy")));
  else if (!POLICIES.includes(policy)) {
    const why = "must be 'OrderedReady' or 'Parallel'";
    errors.push(invalidValue(SPEC.child("podManagementPolicy"), policy, why));
  }
  validateStrategy(spec, errors);
  const retention = SPEC.child("persistentVolumeClaimRetentionPolicy");
  for (const name of ["whenDeleted", "whenScaled"] as const) {
    const value = spec?.persistentVolumeClaimRetentionPolicy?.[name] ?? "";
    if (!RETENTION.includes(value)) errors.push(notSupported(retention.child(name), value, RETENTION));
  }
  nonNegative(errors, spec?.replicas, SPEC, "replicas");
  nonNegative(errors, spec?.minReadySeconds, SPEC, "minReadySeconds");
  nonNegative(errors, spec?.revisionHistoryLimit, SPEC, "revisionHistoryLimit");
  nonNegative(errors, spec?.ordinals?.start, SPEC.child("ordinals"), "start");
  validateSelector(spec?.selector, "statefulset", errors);
  validateTemplate(spec ? { ...spec, template: withClaims(spec) } : {}, errors);
  return errors;
}

/** The template as its pods will be: each claim is a volume of its name, which containers may mount. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): StatefulSetSpec["template"] {
  const spec = template?.spec;
  if (!spec || volumeClaimTemplates.length === 0) return template;
  const own = new Set((spec.volumes ?? []).map(({ name }) => name));
  const claims = volumeClaimTemplates.flatMap(({ metadata }) => {
    const name = metadata?.name;
    return name === undefined || own.has(name) ? [] : [{ name, persistentVolumeClaim: { claimName: name } }];
  });
  return { ...template, spec: { ...spec, volumes: [...(spec.volumes ?? []), ...claims] } };
}

function validateStrategy(spec: StatefulSetSpec | undefined, errors: FieldError[]): void {
  const at = SPEC.child("updateStrategy");
  const { type = "", rollingUpdate } = spec?.updateStrategy ?? {};
  if (type === "") errors.push(required(at));
  else if (type === "OnDelete") {
    if (rollingUpdate) {
      const why = "only allowed for updateStrategy 'RollingUpdate'";
      errors.push(invalidValue(at.child("rollingUpdate"), rollingUpdate, why));
    }
  } else if (type === "RollingUpdate") {
    const path = at.child("rollingUpdate");
    nonNegative(errors, rollingUpdate?.partition, path, "partition");
    const max = rollingUpdate?.maxUnavailable;
    if (max !== undefined) {
      validatePositiveIntOrPercent(max, path.child("maxUnavailable"), errors);
      if (isNone(max)) errors.push(invalidValue(path.child("maxUnavailable"), max, "cannot be 0"));
      validateAtMostAll(max, path.child("maxUnavailable"), errors);
    }
  } else errors.push(invalidValue(at, spec?.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
}

function validateUpdate({ spec }: StatefulSetObject, { spec: was }: StatefulSetObject): FieldError[] {
  const rest = { ...spec } as Record<string, unknown>;
  const old = { ...was } as Record<string, unknown>;
  for (const name of UPDATABLE) {
    delete rest[name];
    delete old[name];
  }
  if (semanticEqual(rest, old)) return [];
  const why =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  return [forbiddenField(SPEC, why)];
}

function validateStatus({ status }: StatefulSetObject, { status: was }: StatefulSetObject): FieldError[] {
  const errors: FieldError[] = [];
  const names = [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
  ] as const;
  for (const name of names) nonNegative(errors, status?.[name], STATUS, name);
  for (const name of ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"] as const) {
    if ((status?.[name] ?? 0) > (status?.replicas ?? 0)) {
      errors.push(invalidValue(STATUS.child(name), status?.[name], "cannot be greater than status.replicas"));
    }
  }
  if ((status?.availableReplicas ?? 0) > (status?.readyReplicas ?? 0)) {
    const why = "cannot be greater than status.readyReplicas";
    errors.push(invalidValue(STATUS.child("availableReplicas"), status?.availableReplicas, why));
  }
  if (was?.collisionCount !== undefined && (status?.collisionCount ?? -1) < was.collisionCount) {
    errors.push(
      invalidValue(STATUS.child("collisionCount"), status?.collisionCount, "cannot be decremented"),
    );
  }
  return errors;
}

/** Pods with an identity each: an ordinal, a stable name and disks of their own. */
export type StatefulSet = StatefulSetObject;

export const StatefulSet = defineResource<StatefulSetObject>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  scope: "Namespaced",
  shortNames: ["sts"],
  categories: ["all"],
  definition: "apps.v1.StatefulSet",
  validateName: nameIsDNSSubdomain,
  defaults: setDefaults,
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  validateUpdate,
  warnings: ({ spec }) => templateWarnings(spec),
  generationOf: ({ spec }) => spec,
  subresources: { scale: scaleSubresource<StatefulSetObject>(), status: observingStatus(validateStatus) },
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    ageColumn,
    ...templateColumns<StatefulSetObject>(({ spec }) => spec?.template.spec?.containers),
  ],
});
