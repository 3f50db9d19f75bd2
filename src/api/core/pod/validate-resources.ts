/** Requests, limits and claims of containers and of a pod as a whole. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from "../../../machinery/names/names.ts";
import type {
  PodResourceClaim,
  PodSpec,
  ResourceClaim,
  ResourceRequirements,
} from "../../schema/core.v1.generated.ts";
import type { Rules } from "./checks.ts";
import { eachInvalid } from "./checks.ts";
import { compareQuantities, isMultipleOf, isNegative, isWhole } from "./quantities.ts";
import { aggregateContainerRequests, isPodLevelResource } from "./requests.ts";

type Quantities = Readonly<Record<string, string>>;

/** Names without a domain that a container may ask for. */
const CONTAINER_RESOURCES = new Set(["cpu", "memory", "ephemeral-storage"]);
/** Names without a domain that mean something anywhere in the API. */
const STANDARD_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  "storage",
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "services.nodeports",
  "services.loadbalancers",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
]);
const HUGEPAGES = "hugepages-";

export function isHugePages(name: string): boolean {
  return name.startsWith(HUGEPAGES);
}

/** Kubernetes' own resource: without a domain, or in the domain kubernetes.io. */
function isNative(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

export function isExtendedResource(name: string): boolean {
  if (isNative(name) || name.startsWith("requests.")) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}

/** Whether more may be allowed than is reserved. */
function isOvercommitAllowed(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}

export function validateContainerResources(
  resources: ResourceRequirements,
  claims: ReadonlySet<string>,
  at: FieldPath,
  rules: Rules,
): void {
  if (resources.limits || resources.requests) {
    validateRequirements(resources, validateContainerResourceName, at, rules);
  }
  if (resources.claims) validateClaimNames(resources.claims, claims, at.child("claims"), rules);
}

type NameRule = (name: string, at: FieldPath, errors: FieldError[]) => void;

function validateRequirements(
  { limits, requests }: ResourceRequirements,
  nameRule: NameRule,
  at: FieldPath,
  rules: Rules,
): void {
  let hugepages = false;
  let computes = false;
  for (const name in limits) {
    validateAmount(name, limits[name] as string, nameRule, at, "limits", rules);
    if (name === "cpu" || name === "memory") computes = true;
    else if (isHugePages(name)) hugepages = true;
  }
  for (const name in requests) {
    validateAmount(name, requests[name] as string, nameRule, at, "requests", rules);
    if (name === "cpu" || name === "memory") computes = true;
    else if (isHugePages(name)) hugepages = true;
    validateAgainstLimit(name, requests[name] as string, limits, at, rules);
  }
  if (hugepages && !computes) rules.errors.push(forbiddenField(at, "HugePages require cpu or memory"));
}

function validateAmount(
  name: string,
  quantity: string,
  nameRule: NameRule,
  at: FieldPath,
  list: string,
  { errors }: Rules,
): void {
  const plain = CONTAINER_RESOURCES.has(name);
  if (plain && !isNegative(quantity)) return;
  const path = at.child(list).key(name);
  if (!plain) nameRule(name, path, errors);
  validateQuantityValue(name, quantity, path, errors);
  if (!isHugePages(name)) return;
  const size = name.slice(HUGEPAGES.length);
  if (!isMultipleOf(quantity, size)) {
    const why = `${quantity} is not positive integer multiple of ${name}`;
    errors.push(invalidValue(path, quantity, why));
  }
}

/** Not negative, and whole where the resource cannot be divided. */
export function validateQuantityValue(
  name: string,
  quantity: string,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (isNegative(quantity)) {
    errors.push(invalidValue(at, quantity, "must be greater than or equal to 0"));
  }
  if (isExtendedResource(name) && !isWhole(quantity)) {
    errors.push(invalidValue(at, quantity, "must be an integer"));
  }
}

function validateAgainstLimit(
  name: string,
  request: string,
  limits: Quantities | undefined,
  at: FieldPath,
  { errors }: Rules,
): void {
  const limit = limits && Object.hasOwn(limits, name) ? limits[name] : undefined;
  if (limit === request) return;
  if (limit === undefined) {
    if (!isOvercommitAllowed(name)) {
      errors.push(required(at.child("limits"), "Limit must be set for non overcommitable resources"));
    }
    return;
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !isOvercommitAllowed(name)) {
    const why = `must be equal to ${name} limit of ${limit}`;
    errors.push(invalidValue(at.child("requests"), request, why));
  } else if (order > 0) {
    const why = `must be less than or equal to ${name} limit of ${limit}`;
    errors.push(invalidValue(at.child("requests"), request, why));
  }
}

/** Whether a name may stand in any resource list. */
export function validateResourceName(name: string, at: FieldPath, errors: FieldError[]): boolean {
  const messages = isQualifiedName(name);
  eachInvalid(errors, messages, at, name);
  if (messages.length > 0) return false;
  if (!name.includes("/") && !STANDARD_RESOURCES.has(name) && !isHugePages(name)) {
    errors.push(invalidValue(at, name, "must be a standard resource type or fully qualified"));
  }
  return true;
}

export function validateContainerResourceName(name: string, at: FieldPath, errors: FieldError[]): void {
  if (!validateResourceName(name, at, errors)) return;
  if (!name.includes("/")) {
    if (!CONTAINER_RESOURCES.has(name) && !isHugePages(name)) {
      errors.push(invalidValue(at, name, "must be a standard resource for containers"));
    }
  } else if (!isNative(name) && !isExtendedResource(name)) {
    errors.push(invalidValue(at, name, "doesn't follow extended resource name standard"));
  }
}

function validatePodResourceName(name: string, at: FieldPath, errors: FieldError[]): void {
  if (!validateResourceName(name, at, errors)) return;
  if (!isPodLevelResource(name)) {
    errors.push(notSupported(at, name, ["cpu", "hugepages-", "memory"]));
  }
}

/** Resources that all containers of a pod share. */
export function validatePodLevelResources(spec: PodSpec, at: FieldPath, rules: Rules): void {
  const { resources } = spec;
  if (!resources) return;
  const { errors } = rules;
  if (resources.claims) {
    errors.push(forbiddenField(at.child("claims"), "claims cannot be set for Resources at pod-level"));
  }
  for (const list of ["limits", "requests"] as const) {
    for (const name of Object.keys(resources[list] ?? {})) {
      if (!isPodLevelResource(name)) validatePodResourceName(name, at.child(list).key(name), errors);
    }
  }
  validateRequirements(resources, () => undefined, at, rules);
  const requests: Quantities = resources.requests ?? {};
  for (const [name, sum] of aggregateContainerRequests(spec)) {
    const asked = Object.hasOwn(requests, name) ? (requests[name] as string) : "0";
    if (compareQuantities(sum, asked) > 0) {
      const why = `must be greater than or equal to aggregate container requests of ${sum}`;
      errors.push(invalidValue(at.child("requests").key(name), asked, why));
    }
  }
  const limits: Quantities = resources.limits ?? {};
  spec.containers.forEach((container, i) => {
    const own: Quantities = container.resources?.limits ?? {};
    for (const name of Object.keys(own)) {
      if (!Object.hasOwn(limits, name)) continue;
      const limit = limits[name] as string;
      if (compareQuantities(own[name] as string, limit) <= 0) continue;
      const path = at.child("containers").index(i).key(name).child("limits");
      const why = `must be less than or equal to pod limits of ${limit}`;
      errors.push(invalidValue(path, own[name], why));
    }
  });
}

/** Overhead is added by the RuntimeClass and is counted like a container's requests. */
export function validateOverhead(overhead: Quantities, at: FieldPath, rules: Rules): void {
  validateRequirements(
    { limits: overhead as Record<string, string> },
    validateContainerResourceName,
    at,
    rules,
  );
}

function validateClaimNames(
  used: readonly ResourceClaim[],
  claims: ReadonlySet<string>,
  at: FieldPath,
  { errors }: Rules,
): void {
  const seen = new Set<string>();
  used.forEach((claim, i) => {
    if (!claim.name) {
      errors.push(required(at.index(i)));
      return;
    }
    // A claim may be used once whole, or by each of its requests once.
    const key = `${claim.name}/${claim.request ?? ""}`;
    if (seen.has(key) || (claim.request && seen.has(`${claim.name}/`))) {
      errors.push(duplicate(at.index(i), claim.name));
    }
    seen.add(key);
    if (!claims.has(claim.name)) {
      const list = claims.size === 0 ? " which is empty" : `: ${[...claims].sort().join(", ")}`;
      const body = `Not found: ${JSON.stringify(claim.name)}: must be one of the names in pod.spec.resourceClaims${list}`;
      errors.push({ type: "FieldValueNotFound", field: at.index(i).toString(), body });
    }
    if (claim.request)
      eachInvalid(errors, isDNS1123Label(claim.request), at.index(i).child("request"), claim.request);
  });
}

export function validatePodResourceClaims(
  claims: readonly PodResourceClaim[],
  at: FieldPath,
  { errors }: Rules,
): void {
  const names = new Set<string>();
  claims.forEach((claim, i) => {
    const path = at.index(i);
    if (!claim.name) errors.push(required(path.child("name")));
    else if (names.has(claim.name)) errors.push(duplicate(path.child("name"), claim.name));
    else {
      eachInvalid(errors, isDNS1123Label(claim.name), path.child("name"), claim.name);
      names.add(claim.name);
    }
    const { resourceClaimName: byName, resourceClaimTemplateName: byTemplate } = claim;
    if (byName !== undefined && byTemplate !== undefined) {
      const why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(invalidValue(path, claim, why));
    }
    if (byName === undefined && byTemplate === undefined) {
      const why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      errors.push(invalidValue(path, claim, why));
    }
    if (byName !== undefined) {
      eachInvalid(errors, isDNS1123Subdomain(byName), path.child("resourceClaimName"), byName);
    }
    if (byTemplate !== undefined) {
      const field = path.child("resourceClaimTemplateName");
      eachInvalid(errors, isDNS1123Subdomain(byTemplate), field, byTemplate);
    }
  });
}
