import type { FieldError } from "../../machinery/field/field-error.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { formatLabelSelector } from "../../machinery/selectors/labels.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { templateColumns } from "../core/pod/columns.ts";
import { setPodTemplateDefaults } from "../core/pod/defaults.ts";
import { observingStatus, validateReplicaStatus } from "../core/replica-status.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { ReplicaSet as ReplicaSetObject, ReplicaSetSpec } from "../schema/apps.v1.generated.ts";
import {
  SPEC,
  scaleSubresource,
  templateWarnings,
  validateSameSelector,
  validateSelector,
  validateTemplate,
} from "./template.ts";

function validate({ spec }: ReplicaSetObject): FieldError[] {
  const errors: FieldError[] = [];
  nonNegative(errors, spec?.replicas, SPEC, "replicas");
  nonNegative(errors, spec?.minReadySeconds, SPEC, "minReadySeconds");
  validateSelector(spec?.selector, "deployment", errors);
  validateTemplate(spec ?? {}, errors);
  return errors;
}

/** A number of pods alike. */
export type ReplicaSet = ReplicaSetObject;

export const ReplicaSet = defineResource<ReplicaSetObject>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  scope: "Namespaced",
  shortNames: ["rs"],
  categories: ["all"],
  definition: "apps.v1.ReplicaSet",
  validateName: nameIsDNSSubdomain,
  defaults(object) {
    object.spec ??= {} as ReplicaSetSpec;
    object.spec.replicas ??= 1;
    if (object.spec.template) setPodTemplateDefaults(object.spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  validateUpdate: (object, old) => validateSameSelector(object.spec, old.spec),
  warnings: ({ spec }) => templateWarnings(spec),
  generationOf: ({ spec }) => spec,
  subresources: {
    scale: scaleSubresource<ReplicaSetObject>(),
    status: observingStatus<ReplicaSetObject>((object, old) =>
      validateReplicaStatus(object.status ?? {}, old.status ?? {}),
    ),
  },
  fields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: ({ spec }) => spec?.replicas ?? 0 },
    { name: "Current", type: "integer", cell: ({ status }) => status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicaSetObject>(({ spec }) => spec?.template?.spec?.containers),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      cell: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
});
