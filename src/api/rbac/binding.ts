/** What RoleBinding and ClusterRoleBinding share. */
import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isPathSegmentName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import type { Column } from "../resource.ts";
import type { ClusterRoleBinding, RoleBinding, Subject } from "../schema/rbac.v1.generated.ts";

type Binding = RoleBinding | ClusterRoleBinding;

const GROUP = "rbac.authorization.k8s.io";

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  { name: "Role", type: "string", cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  ageColumn,
  { name: "Users", type: "string", priority: 1, cell: (binding) => subjectsOf(binding, "User") },
  { name: "Groups", type: "string", priority: 1, cell: (binding) => subjectsOf(binding, "Group") },
  {
    name: "ServiceAccounts",
    type: "string",
    priority: 1,
    cell: (binding) => subjectsOf(binding, "ServiceAccount"),
  },
];

function subjectsOf({ subjects = [] }: Binding, kind: string): string {
  const names = subjects.filter((subject) => subject.kind === kind);
  return names
    .map(({ name, namespace = "" }) => (kind === "ServiceAccount" ? `${namespace}/${name}` : name))
    .join(", ");
}

export function bindingDefaults({ roleRef, subjects }: Binding): void {
  if (roleRef && !roleRef.apiGroup) roleRef.apiGroup = GROUP;
  for (const subject of subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = GROUP;
  }
}

export function validateBinding({ roleRef, subjects = [] }: Binding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("roleRef");
  const { apiGroup = "", kind = "", name = "" } = roleRef ?? {};
  if (apiGroup !== GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [GROUP]));
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(kind)) errors.push(notSupported(path.child("kind"), kind, kinds));
  if (name === "") errors.push(required(path.child("name")));
  else for (const text of isPathSegmentName(name)) errors.push(invalidValue(path.child("name"), name, text));
  for (const [i, subject] of subjects.entries()) {
    validateSubject(subject, namespaced, FieldPath.root("subjects").index(i), errors);
  }
  return errors;
}

function validateSubject(subject: Subject, namespaced: boolean, path: FieldPath, errors: FieldError[]): void {
  const { apiGroup = "", kind = "", name = "", namespace = "" } = subject;
  if (name === "") errors.push(required(path.child("name")));
  if (kind === "ServiceAccount") {
    if (name !== "") {
      for (const text of nameIsDNSSubdomain(name, false))
        errors.push(invalidValue(path.child("name"), name, text));
    }
    if (apiGroup !== "") errors.push(notSupported(path.child("apiGroup"), apiGroup, [""]));
    if (!namespaced && namespace === "") errors.push(required(path.child("namespace")));
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [GROUP]));
  } else errors.push(notSupported(path.child("kind"), kind, ["ServiceAccount", "User", "Group"]));
}

export function validateBindingUpdate(now: Binding, old: Binding): FieldError[] {
  const [a, b] = [now.roleRef, old.roleRef];
  if (a.apiGroup === b.apiGroup && a.kind === b.kind && a.name === b.name) return [];
  return [invalidValue(FieldPath.root("roleRef"), a, "cannot change roleRef")];
}
