/**
 * Who may write the status of resource claims may not therefore write all of it: allocations are the scheduler's, by
 * the permission `resourceclaims/binding` for the whole cluster, and what is said of a device is its driver's, by
 * `resourceclaims/driver`. A driver that runs as a service account on the claim's own node needs the verb
 * `associated-node:update` alone, any other `arbitrary-node:update`.
 *
 * Upstream asks this in the validation of the status; here, as the check of RBAC's escalation, it is a step of
 * admission, which may wait for an answer.
 */
import { type AdmissionRequest, defineAdmission } from "../admission/plugin.ts";
import type { ResourceClaim } from "../api/resource/resource-claim.ts";
import { deviceKey } from "../api/resource/validate-claim-status.ts";
import type { AllocationResult, ResourceClaimStatus } from "../api/schema/resource.v1.generated.ts";
import type { Attributes, Authorizer, User } from "../api/user.ts";
import { forbiddenError } from "../auth/authorization/forbidden-message.ts";
import { type FieldError, forbiddenField, invalid } from "../machinery/field/field-error.ts";
import { FieldPath } from "../machinery/field/path.ts";
import { semanticEqual } from "../machinery/json/equal.ts";

const GROUP = "resource.k8s.io";
const STATUS = FieldPath.root("status");
const NODE_NAME = "authentication.kubernetes.io/node-name";

export const claimStatusAuthorization = defineAdmission({
  name: "ResourceClaimStatusAuthorization",
  summary: "Refuses allocations by others than schedulers, and device statuses by others than drivers",
  on: [[`resourceclaims.${GROUP}/status`, ["UPDATE"]]],
  start: ({ authorizer }) => ({
    async validate(request) {
      const now = (request.object as ResourceClaim | undefined)?.status ?? {};
      const old = (request.old as ResourceClaim | undefined)?.status ?? {};
      const errors = [
        ...(await checkBinding(request, now, old, authorizer)),
        ...(await checkDrivers(request, now, old, authorizer)),
      ];
      if (errors.length > 0) throw invalid({ group: GROUP, kind: "ResourceClaim" }, request.name, errors);
    },
  }),
});

async function checkBinding(
  request: AdmissionRequest,
  now: ResourceClaimStatus,
  old: ResourceClaimStatus,
  authorizer: Authorizer,
): Promise<FieldError[]> {
  if (semanticEqual(now.allocation, old.allocation) && semanticEqual(now.reservedFor, old.reservedFor)) {
    return [];
  }
  const verb = verbOf(request);
  const attributes = { ...attributesOf(request, verb, "binding"), namespace: "", name: "" };
  const refusal = await refusalOf(attributes, authorizer);
  if (refusal === undefined) return [];
  const needs = `resource="resourceclaims/binding", verb="${verb}" permission`;
  const why = `changing status.allocation or status.reservedFor requires ${needs}: ${refusal}`;
  return [forbiddenField(STATUS, why)];
}

async function checkDrivers(
  request: AdmissionRequest,
  now: ResourceClaimStatus,
  old: ResourceClaimStatus,
  authorizer: Authorizer,
): Promise<FieldError[]> {
  const errors: FieldError[] = [];
  const verb = verbOf(request);
  const verbs = [`arbitrary-node:${verb}`];
  if (runsOn(request.user, nodeOf(now.allocation))) verbs.unshift(`associated-node:${verb}`);
  for (const name of changedDrivers(now, old)) {
    let first: string | undefined;
    let allowed = false;
    for (const one of verbs) {
      const refusal = await refusalOf({ ...attributesOf(request, one, "driver"), name }, authorizer);
      if (refusal === undefined) {
        allowed = true;
        break;
      }
      first ??= refusal;
    }
    if (allowed) continue;
    const needs = `resource="resourceclaims/driver", verb="[${verbs.join(" ")}]" permission`;
    errors.push(
      forbiddenField(STATUS.child("devices"), `changing status.devices requires ${needs}: ${first}`),
    );
  }
  return errors;
}

/** The drivers of devices whose status came, went or changed, in order. */
export function changedDrivers(now: ResourceClaimStatus, old: ResourceClaimStatus): string[] {
  const drivers = new Set<string>();
  const before = new Map((old.devices ?? []).map((status) => [deviceKey(status), status]));
  for (const status of now.devices ?? []) {
    const key = deviceKey(status);
    if (!semanticEqual(status, before.get(key))) drivers.add(status.driver);
    before.delete(key);
  }
  for (const { driver } of before.values()) drivers.add(driver);
  return [...drivers].sort();
}

/** The node that an allocation is bound to, where it is one alone. */
function nodeOf(allocation: AllocationResult | undefined): string | undefined {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const { matchExpressions = [], matchFields = [] } = terms[0] ?? {};
  const [field] = matchFields;
  if (terms.length !== 1 || matchExpressions.length > 0 || matchFields.length !== 1 || !field)
    return undefined;
  const isOne = field.key === "metadata.name" && field.operator === "In" && field.values?.length === 1;
  return isOne ? field.values?.[0] : undefined;
}

function runsOn({ name, extra }: User, node: string | undefined): boolean {
  const nodes = extra?.[NODE_NAME];
  return (
    name.startsWith("system:serviceaccount:") &&
    nodes?.length === 1 &&
    node !== undefined &&
    nodes[0] === node
  );
}

function verbOf({ verb }: AdmissionRequest): string {
  return verb ?? "update";
}

function attributesOf(request: AdmissionRequest, verb: string, subresource: string): Attributes {
  const { user, namespace, name, resource } = request;
  const { group, version, plural } = resource;
  return {
    user,
    verb,
    namespace,
    group,
    version,
    resource: plural,
    subresource,
    name,
    path: "",
    isResource: true,
  };
}

/** What a 403 for the attributes would say; undefined where they are allowed. */
async function refusalOf(attributes: Attributes, authorizer: Authorizer): Promise<string | undefined> {
  const { decision, reason, error } = await authorizer.authorize(attributes);
  if (decision === "allow") return undefined;
  const why = error && reason !== "" ? `${error}: ${reason}` : (error ?? reason);
  return forbiddenError(attributes, why).message;
}
