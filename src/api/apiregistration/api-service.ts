import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1035Label, isDNS1123Subdomain, isPathSegmentName } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { decodedLength } from "../core/immutable.ts";
import { keepMetadata } from "../core/keep-metadata.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { APIServiceSpec, APIService as APIServiceType } from "../schema/apiregistration.v1.generated.ts";

export type APIService = APIServiceType;

const HTTPS_PORT = 443;
const GROUP_PRIORITY_MAX = 20_000;
const VERSION_PRIORITY_MAX = 1000;

/** Who serves a group version: the API server itself, or a service behind it. */
export const APIService = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "apiregistration.v1.APIService",
  // That the name is the one which the spec asks for is for `validate`, which sees both.
  validateName: (name) => isPathSegmentName(name),
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= HTTPS_PORT;
  },
  prepareForCreate(object, { now }) {
    object.status = {};
    if (object.spec?.service) return;
    const message = "Local APIServices are always available";
    object.status.conditions = [
      { type: "Available", status: "True", lastTransitionTime: now, reason: "Local", message },
    ];
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  allowUnconditionalUpdate: false,
  // Upstream's strategy declares none.
  resets: [],
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare(object, old) {
        take(object, old, "spec");
        keepMetadata(object, old);
      },
      validate: validateStatus,
      resets: [],
    },
  },
  columns: [
    nameColumn,
    { name: "Service", type: "string", cell: ({ spec }) => serviceCell(spec) },
    { name: "Available", type: "string", cell: availableCell },
    ageColumn,
  ],
});

function serviceCell(spec: APIServiceSpec | undefined): string {
  return spec?.service ? `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}` : "Local";
}

function availableCell({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (!condition) return "Unknown";
  return condition.status === "True" || !condition.reason
    ? condition.status
    : `${condition.status} (${condition.reason})`;
}

function validate({ metadata, spec: given }: APIService): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const spec: Partial<APIServiceSpec> = given ?? {};
  const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  const wanted = `${version}.${group}`;
  const { name = "" } = metadata;
  if (name !== wanted && name !== "" && isPathSegmentName(name).length === 0) {
    const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`;
    errors.push(invalidValue(FieldPath.root("metadata", "name"), name, why));
  }
  if (group === "" && version !== "v1") {
    const why = "only v1 may have an empty group and it better be legacy kube";
    errors.push(required(path.child("group"), why));
  }
  if (group !== "") {
    for (const text of isDNS1123Subdomain(group)) errors.push(invalidValue(path.child("group"), group, text));
  }
  for (const text of isDNS1035Label(version)) errors.push(invalidValue(path.child("version"), version, text));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > GROUP_PRIORITY_MAX) {
    const why = `must be positive and less than ${GROUP_PRIORITY_MAX}`;
    errors.push(invalidValue(path.child("groupPriorityMinimum"), groupPriorityMinimum, why));
  }
  if (versionPriority <= 0 || versionPriority > VERSION_PRIORITY_MAX) {
    const why = `must be positive and less than ${VERSION_PRIORITY_MAX}`;
    errors.push(invalidValue(path.child("versionPriority"), versionPriority, why));
  }
  validateConnection(spec, path, errors);
  return errors;
}

function validateConnection(
  { service, caBundle = "", insecureSkipTLSVerify = false }: Partial<APIServiceSpec>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const insecure = path.child("insecureSkipTLSVerify");
  if (!service) {
    if (caBundle !== "") {
      const shown = `${decodedLength(caBundle)} bytes`;
      errors.push(invalidValue(path.child("caBundle"), shown, "local APIServices may not have a caBundle"));
    }
    if (insecureSkipTLSVerify) {
      errors.push(invalidValue(insecure, true, "local APIServices may not have insecureSkipTLSVerify"));
    }
    return;
  }
  if (!service.namespace) errors.push(required(path.child("service", "namespace")));
  if (!service.name) errors.push(required(path.child("service", "name")));
  if (insecureSkipTLSVerify && caBundle !== "") {
    errors.push(invalidValue(insecure, true, "may not be true if caBundle is present"));
  }
}

const STATUSES = ["True", "False", "Unknown"];

function validateStatus({ status }: APIService): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, condition] of (status?.conditions ?? []).entries()) {
    if (STATUSES.includes(condition.status)) continue;
    const at = FieldPath.root("status", "conditions").index(i).child("status");
    errors.push(notSupported(at, condition.status ?? "", STATUSES));
  }
  return errors;
}
