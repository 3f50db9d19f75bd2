import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { isDNS1123Label, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type {
  FlowSchemaSpec,
  FlowSchema as FlowSchemaType,
  PolicyRulesWithSubjects,
  Subject,
} from "../schema/flowcontrol.v1.generated.ts";

export type FlowSchema = FlowSchemaType;

const HIGHEST_PRECEDENCE = 10000;
const DEFAULT_PRECEDENCE = 1000;
const METHODS = ["ByNamespace", "ByUser"];

/** Which requests go to which priority level, and what tells their flows apart. */
export const FlowSchema = defineResource<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  scope: "Cluster",
  definition: "flowcontrol.v1.FlowSchema",
  validateName: nameIsDNSSubdomain,
  defaults({ spec }) {
    if (spec && !spec.matchingPrecedence) spec.matchingPrecedence = DEFAULT_PRECEDENCE;
  },
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  generationOf: ({ spec }) => spec,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare(object, old) {
        take(object, old, "spec");
        const { managedFields, resourceVersion } = object.metadata;
        object.metadata = { ...old.metadata, managedFields, resourceVersion };
      },
      resets: ["spec", "metadata"],
    },
  },
  columns: [
    nameColumn,
    { name: "PriorityLevel", type: "string", cell: ({ spec }) => spec?.priorityLevelConfiguration?.name },
    { name: "MatchingPrecedence", type: "integer", cell: ({ spec }) => spec?.matchingPrecedence ?? 0 },
    {
      name: "DistinguisherMethod",
      type: "string",
      cell: ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>",
    },
    ageColumn,
    { name: "MissingPL", type: "string", cell: danglingCell },
  ],
});

function danglingCell({ status }: FlowSchema): string {
  return (status?.conditions ?? []).find(({ type }) => type === "Dangling")?.status ?? "?";
}

const MANDATORY: ReadonlyMap<string, FlowSchemaSpec> = new Map([
  [
    "exempt",
    {
      matchingPrecedence: 1,
      priorityLevelConfiguration: { name: "exempt" },
      rules: [everything([{ kind: "Group", group: { name: "system:masters" } }])],
    },
  ],
  [
    "catch-all",
    {
      matchingPrecedence: HIGHEST_PRECEDENCE,
      priorityLevelConfiguration: { name: "catch-all" },
      distinguisherMethod: { type: "ByUser" },
      rules: [
        everything([
          { kind: "Group", group: { name: "system:unauthenticated" } },
          { kind: "Group", group: { name: "system:authenticated" } },
        ]),
      ],
    },
  ],
]);

function everything(subjects: Subject[]): PolicyRulesWithSubjects {
  return {
    subjects,
    resourceRules: [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true },
    ],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  };
}

function validate({ metadata, spec }: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { matchingPrecedence = 0, distinguisherMethod, rules = [] } = spec ?? {};
  const { name = "" } = metadata;
  const mandatory = MANDATORY.get(name);
  if (mandatory && !semanticEqual(ordered(spec), ordered(mandatory))) {
    const why = `spec of '${name}' must equal the fixed value`;
    errors.push(invalidValue(path, spec, why));
  }
  if (matchingPrecedence <= 0) {
    errors.push(
      invalidValue(path.child("matchingPrecedence"), matchingPrecedence, "must be a positive value"),
    );
  }
  if (matchingPrecedence > HIGHEST_PRECEDENCE) {
    const why = `must not be greater than ${HIGHEST_PRECEDENCE}`;
    errors.push(invalidValue(path.child("matchingPrecedence"), matchingPrecedence, why));
  }
  if (matchingPrecedence === 1 && name !== "exempt") {
    const why = "only the schema named 'exempt' may have matchingPrecedence 1";
    errors.push(invalidValue(path.child("matchingPrecedence"), matchingPrecedence, why));
  }
  if (distinguisherMethod && !METHODS.includes(distinguisherMethod.type)) {
    errors.push(notSupported(path.child("distinguisherMethod", "type"), distinguisherMethod.type, METHODS));
  }
  const level = spec?.priorityLevelConfiguration?.name ?? "";
  const at = path.child("priorityLevelConfiguration", "name");
  if (level === "") errors.push(required(at, "must reference a priority level"));
  else for (const text of nameIsDNSSubdomain(level, false)) errors.push(invalidValue(at, level, text));
  for (const [i, rule] of rules.entries()) validateRule(rule, path.child("rules").index(i), errors);
  return errors;
}

/** Subjects in the order of their text: which comes first means nothing. */
function ordered(spec: FlowSchemaSpec | undefined): unknown {
  return {
    ...spec,
    rules: (spec?.rules ?? []).map((rule) => ({
      ...rule,
      subjects: (rule.subjects ?? []).toSorted((a, b) =>
        (a.group?.name ?? "") < (b.group?.name ?? "") ? -1 : 1,
      ),
    })),
  };
}

function validateRule(rule: PolicyRulesWithSubjects, path: FieldPath, errors: FieldError[]): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0)
    errors.push(required(path.child("subjects"), "subjects must contain at least one value"));
  for (const [i, subject] of subjects.entries())
    validateSubject(subject, path.child("subjects").index(i), errors);
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  for (const [i, { verbs, apiGroups, resources, namespaces, clusterScope }] of resourceRules.entries()) {
    const at = path.child("resourceRules").index(i);
    validateList(verbs, at.child("verbs"), "verbs", errors);
    validateList(apiGroups, at.child("apiGroups"), "resource rules", errors);
    validateList(resources, at.child("resources"), "resource rules", errors);
    if ((namespaces ?? []).length === 0 && clusterScope !== true) {
      errors.push(
        required(
          at.child("namespaces"),
          "resource rules that are not cluster scoped must supply at least one namespace",
        ),
      );
    }
  }
  for (const [i, { verbs, nonResourceURLs }] of nonResourceRules.entries()) {
    const at = path.child("nonResourceRules").index(i);
    validateList(verbs, at.child("verbs"), "verbs", errors);
    validateList(nonResourceURLs, at.child("nonResourceURLs"), "nonResourceURLs", errors);
  }
}

function validateList(
  list: readonly string[] | undefined,
  path: FieldPath,
  what: string,
  errors: FieldError[],
): void {
  if (!list || list.length === 0) errors.push(required(path, `${what} must contain at least one value`));
  else if (list.length > 1 && list.includes("*")) {
    errors.push(invalidValue(path, list, "if '*' is present, must not specify other values"));
  }
}

const SUBJECT_KINDS = ["Group", "ServiceAccount", "User"];

function validateSubject(
  { kind = "", user, group, serviceAccount }: Subject,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (kind === "User" || kind === "Group") {
    const field = kind === "User" ? "user" : "group";
    const said = kind === "User" ? user : group;
    if (!said)
      errors.push(required(path.child(field), `${field} is required when subject kind is '${kind}'`));
    else if (!said.name) errors.push(required(path.child(field, "name")));
  } else if (kind === "ServiceAccount") {
    const at = path.child("serviceAccount");
    if (!serviceAccount) {
      errors.push(required(at, "serviceAccount is required when subject kind is 'ServiceAccount'"));
      return;
    }
    const { name = "", namespace = "" } = serviceAccount;
    if (name === "") errors.push(required(at.child("name")));
    else if (name !== "*") {
      for (const text of nameIsDNSSubdomain(name, false))
        errors.push(invalidValue(at.child("name"), name, text));
    }
    if (namespace === "") {
      errors.push(required(at.child("namespace"), "must specify namespace for service account"));
    } else
      for (const text of isDNS1123Label(namespace))
        errors.push(invalidValue(at.child("namespace"), namespace, text));
  } else errors.push(notSupported(path.child("kind"), kind, SUBJECT_KINDS));
}
