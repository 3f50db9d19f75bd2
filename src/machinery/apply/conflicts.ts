import { StatusError } from "../status/status-error.ts";
import { type FieldSet, fieldsOf } from "./field-set.ts";
import type { Manager } from "./managed-fields.ts";
import { pathText } from "./path-element.ts";

/** A manager with the fields of its own that an apply would change. */
export interface Conflict {
  manager: Manager;
  fields: FieldSet;
}

/** 409 in upstream's words, with a cause per field. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const found = conflicts
    .map(({ manager, fields }) => ({
      who: printedManager(manager),
      paths: [...fieldsOf(fields)].map(pathText),
    }))
    .sort((a, b) => (a.who < b.who ? -1 : 1));
  const causes = found.flatMap(({ who, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${who}`, field })),
  );
  return new StatusError("Conflict", message(found, causes.length), { causes });
}

function message(found: readonly { who: string; paths: string[] }[], count: number): string {
  if (count === 1)
    return `Apply failed with 1 conflict: conflict with ${found[0]!.who}: ${found[0]!.paths[0]}`;
  const lines = found.flatMap(({ who, paths }) => [
    `conflicts with ${who}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join("\n")}`;
}

function printedManager({ name, operation, apiVersion, subresource }: Manager): string {
  const who =
    JSON.stringify(name) + (subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === "Update" ? `${who} using ${apiVersion}` : who;
}
