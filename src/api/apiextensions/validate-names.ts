import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1035Label } from "../../machinery/names/names.ts";
import type { CustomResourceDefinitionNames } from "../schema/apiextensions.v1.generated.ts";

type Names = Partial<CustomResourceDefinitionNames>;

/** Of `spec`; in `status` names may be missing. */
export function requireNames(names: Names, path: FieldPath): FieldError[] {
  return (["plural", "singular", "kind", "listKind"] as const)
    .filter((field) => !names[field])
    .map((field) => required(path.child(field)));
}

export function validateNames(names: Names, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const label = (text: string, at: FieldPath) => {
    const wrong = isDNS1035Label(text);
    if (wrong.length > 0) errors.push(invalidValue(at, text, wrong.join(",")));
  };
  for (const field of ["plural", "singular"] as const) {
    const name = names[field];
    if (name) label(name, path.child(field));
  }
  for (const field of ["kind", "listKind"] as const) {
    const kind = names[field] ?? "";
    const wrong = kind === "" ? [] : isDNS1035Label(kind.toLowerCase());
    if (wrong.length === 0) continue;
    const why = `may have mixed case, but should otherwise match: ${wrong.join(",")}`;
    errors.push(invalidValue(path.child(field), kind, why));
  }
  for (const [i, name] of (names.shortNames ?? []).entries()) label(name, path.child("shortNames").index(i));
  if (names.kind && names.kind === names.listKind) {
    errors.push(
      invalidValue(path.child("listKind"), names.listKind, "kind and listKind may not be the same"),
    );
  }
  for (const [i, name] of (names.categories ?? []).entries()) label(name, path.child("categories").index(i));
  return errors;
}
