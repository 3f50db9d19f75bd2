import { type FieldError, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { formatLabels, selectorFromSet } from "../../machinery/selectors/labels.ts";
import { defineResource } from "../resource.ts";
import type { ReplicationController as Controller } from "../schema/core.v1.generated.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { nonNegative } from "./pod/checks.ts";
import { templateColumns } from "./pod/columns.ts";
import { setPodTemplateDefaults } from "./pod/defaults.ts";
import { selectorMismatch, validatePodTemplateSpec } from "./pod/validate-pod.ts";
import { validateTemplateRestartPolicy } from "./pod/validate-spec.ts";
import { specWarnings } from "./pod/warnings.ts";
import { observingStatus, validateReplicaStatus } from "./replica-status.ts";

const SPEC = FieldPath.root("spec");

function validate({ spec }: Controller): FieldError[] {
  const errors: FieldError[] = [];
  nonNegative(errors, spec?.minReadySeconds, SPEC, "minReadySeconds");
  const selector = spec?.selector ?? {};
  if (Object.keys(selector).length === 0) errors.push(required(SPEC.child("selector")));
  nonNegative(errors, spec?.replicas, SPEC, "replicas");
  if (!spec?.template) {
    errors.push(required(SPEC.child("template")));
    return errors;
  }
  const labels = spec.template.metadata?.labels;
  if (Object.keys(selector).length > 0 && !selectorFromSet(selector).matches(labels ?? {})) {
    errors.push(selectorMismatch(SPEC, labels));
  }
  validatePodTemplateSpec(spec.template, SPEC.child("template"), errors);
  validateTemplateRestartPolicy(spec.template.spec, ["Always"], SPEC, errors);
  if (spec.template.spec?.activeDeadlineSeconds !== undefined) {
    const path = SPEC.child("template", "spec", "activeDeadlineSeconds");
    errors.push({
      type: "FieldValueForbidden",
      field: path.toString(),
      body: "Forbidden: activeDeadlineSeconds in ReplicationController is not Supported",
    });
  }
  return errors;
}

/** The forerunner of ReplicaSet, whose selector is a plain set of labels. */
export type ReplicationController = Controller;

export const ReplicationController = defineResource<Controller>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  scope: "Namespaced",
  shortNames: ["rc"],
  categories: ["all"],
  definition: "core.v1.ReplicationController",
  storagePrefix: "controllers",
  validateName: nameIsDNSSubdomain,
  defaults(object) {
    object.spec ??= {};
    const { spec, metadata } = object;
    spec.replicas ??= 1;
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    if (spec.template) setPodTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  prepareForUpdate(object, old) {
    object.status = old.status;
  },
  validate,
  warnings({ spec }) {
    const out: string[] = [];
    const template = spec?.template;
    if (template?.spec)
      specWarnings(template.spec, template.metadata?.annotations ?? {}, "spec.template", out);
    return out;
  },
  generationOf: ({ spec }) => spec,
  orphansByDefault: true,
  subresources: {
    status: observingStatus<Controller>((object, old) =>
      validateReplicaStatus(object.status ?? {}, old.status ?? {}),
    ),
    scale: {
      acts: "scale",
      replicas: ({ spec }) => spec?.replicas ?? 0,
      setReplicas(object, replicas) {
        object.spec ??= {};
        object.spec.replicas = replicas;
      },
      statusReplicas: ({ status }) => status?.replicas ?? 0,
      selector: ({ spec }) => selectorFromSet(spec?.selector ?? {}).toString(),
      replicasPath: "spec.replicas",
    },
  },
  fields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: ({ spec }) => spec?.replicas ?? 0 },
    { name: "Current", type: "integer", cell: ({ status }) => status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<Controller>(({ spec }) => spec?.template?.spec?.containers),
    { name: "Selector", type: "string", priority: 1, cell: ({ spec }) => formatLabels(spec?.selector) },
  ],
});
