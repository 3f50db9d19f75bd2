import type { FieldError } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { formatLabels } from "../../machinery/selectors/labels.ts";
import { defineResource } from "../resource.ts";
import type { PodTemplate as PodTemplateObject } from "../schema/core.v1.generated.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { templateColumns } from "./pod/columns.ts";
import { setPodTemplateDefaults } from "./pod/defaults.ts";
import { validatePodTemplateSpec } from "./pod/validate-pod.ts";
import { specWarnings } from "./pod/warnings.ts";

const TEMPLATE = FieldPath.root("template");

/** A template on its own, which nothing acts on. */
export type PodTemplate = PodTemplateObject;

export const PodTemplate = defineResource<PodTemplateObject>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  scope: "Namespaced",
  definition: "core.v1.PodTemplate",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  defaults(object) {
    object.template ??= {};
    setPodTemplateDefaults(object.template);
  },
  validate(object) {
    const errors: FieldError[] = [];
    validatePodTemplateSpec(object.template, TEMPLATE, errors);
    return errors;
  },
  warnings({ template }) {
    const out: string[] = [];
    if (template?.spec) specWarnings(template.spec, template.metadata?.annotations ?? {}, "template", out);
    return out;
  },
  generationOf: ({ template }) => template,
  columns: [
    nameColumn,
    ...templateColumns<PodTemplateObject>(({ template }) => template?.spec?.containers).map((column) => ({
      ...column,
      priority: 0,
    })),
    { name: "Pod Labels", type: "string", cell: ({ template }) => formatLabels(template?.metadata?.labels) },
    ageColumn,
  ],
});
