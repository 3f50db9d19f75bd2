/** labelSelector and fieldSelector of a request as a Selection. */
import type { Resource } from "../../api/resource.ts";
import { parseFieldSelector } from "../../machinery/selectors/fields.ts";
import { parseLabelSelector } from "../../machinery/selectors/labels.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { Served } from "../registry/registry.ts";
import { type FieldRequirement, type Selection, selectionOf } from "../watch-cache/selection.ts";

export function selectionFrom(
  served: Served,
  namespace: string,
  labelSelector: string | null,
  fieldSelector: string | null,
): Selection {
  const labels = labelSelector ? parseLabels(labelSelector) : undefined;
  const fields = fieldSelector ? parseFields(served, fieldSelector) : [];
  return selectionOf(served.resource, namespace, labels, fields);
}

function parseLabels(text: string): ReturnType<typeof parseLabelSelector> {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest(
      `unable to parse requirement: ${(error as Error).message}`.replace(
        /^(unable to parse requirement: )+/,
        "$1",
      ),
    );
  }
}

function parseFields(served: Served, text: string): FieldRequirement[] {
  let requirements: FieldRequirement[];
  try {
    requirements = parseFieldSelector(text).requirements.map(({ field, operator, value }) => ({
      field: storedField(served, field),
      equals: operator !== "!=",
      value,
    }));
  } catch (error) {
    throw badRequest(`${(error as Error).message}`);
  }
  for (const { field } of requirements) {
    if (!isSelectable(served.resource, field)) throw badRequest(`field label not supported: ${field}`);
  }
  return requirements;
}

function storedField({ alternate }: Served, field: string): string {
  return alternate?.storedField?.(field) ?? field;
}

function isSelectable(resource: Resource, field: string): boolean {
  if (field === "metadata.name") return true;
  if (field === "metadata.namespace") return resource.scope === "Namespaced";
  return Object.hasOwn(resource.fields, field);
}
