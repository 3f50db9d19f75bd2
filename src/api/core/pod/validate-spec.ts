/** The rules of a pod spec as a whole, a pod's own or a template's. */

import {
  type FieldError,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isBelow } from "../../../machinery/json/exact-integer.ts";
import { isDNS1123Subdomain, isQualifiedName } from "../../../machinery/names/names.ts";
import { validateLabels } from "../../../machinery/selectors/validate.ts";
import type { PodSpec } from "../../schema/core.v1.generated.ts";
import { eachInvalid, inRange, needsOneOf, type Rules } from "./checks.ts";
import {
  type ContainerSurroundings,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from "./validate-containers.ts";
import {
  validateDNS,
  validateHostAliases,
  validateHostNetworkPorts,
  validateHostnames,
} from "./validate-network.ts";
import {
  validateOverhead,
  validatePodLevelResources,
  validatePodResourceClaims,
} from "./validate-resources.ts";
import {
  validateAffinity,
  validateSchedulingGates,
  validateSpreading,
  validateTolerations,
} from "./validate-scheduling.ts";
import { validateHostUsers, validatePodSecurityContext } from "./validate-security.ts";
import { validateVolumes } from "./validate-volumes.ts";
import { validateHostProcess, validateOS } from "./validate-windows.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const NO_CLAIMS: ReadonlySet<string> = new Set();
const MAX_INT32 = 2 ** 31 - 1;

export function validatePodSpec(spec: PodSpec, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(required(at.child("terminationGracePeriodSeconds")));
  }
  const around = surroundingsOf(spec, at, rules);
  validateContainers(around, at.child("containers"), rules);
  if (spec.initContainers) validateInitContainers(around, at.child("initContainers"), rules);
  if (spec.ephemeralContainers) validateEphemeralContainers(around, at.child("ephemeralContainers"), rules);
  if (spec.resources) validatePodLevelResources(spec, at.child("resources"), rules);
  validateHostNetworkPorts(spec, at, rules);
  needsOneOf(errors, spec.restartPolicy, RESTART_POLICIES, at, "restartPolicy");
  needsOneOf(errors, spec.dnsPolicy, DNS_POLICIES, at, "dnsPolicy");
  if (spec.nodeSelector) {
    for (const error of validateLabels(spec.nodeSelector, at.child("nodeSelector"))) errors.push(error);
  }
  if (spec.securityContext) {
    validatePodSecurityContext(spec.securityContext, spec, at.child("securityContext"), rules);
  }
  if (spec.affinity) validateAffinity(spec.affinity, at.child("affinity"), rules);
  validateDNS(spec, at.child("dnsConfig"), rules);
  spec.readinessGates?.forEach(({ conditionType }, i) => {
    const path = at.child("readinessGates").index(i).child("conditionType");
    eachInvalid(errors, isQualifiedName(conditionType), path, conditionType);
  });
  if (spec.schedulingGates) validateSchedulingGates(spec.schedulingGates, at.child("schedulingGates"), rules);
  if (spec.topologySpreadConstraints) {
    validateSpreading(spec.topologySpreadConstraints, at.child("topologySpreadConstraints"), rules);
  }
  validateHostProcess(spec, at, rules);
  validateHostUsers(spec, at, rules);
  validateReferences(spec, at, rules);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (isBelow(deadline, 1) || !isBelow(deadline, MAX_INT32 + 1))) {
    errors.push(invalidValue(at.child("activeDeadlineSeconds"), deadline, inRange(1, MAX_INT32)));
  }
  validateHostnames(spec, at, rules);
  if (spec.tolerations) validateTolerations(spec.tolerations, at.child("tolerations"), rules);
  if (spec.hostAliases) validateHostAliases(spec.hostAliases, at.child("hostAliases"), rules);
  if (spec.preemptionPolicy !== undefined) {
    needsOneOf(errors, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"], at, "preemptionPolicy");
  }
  if (spec.overhead) validateOverhead(spec.overhead, at.child("overhead"), rules);
  if (spec.os) validateOS(spec, at, rules);
}

function surroundingsOf(spec: PodSpec, at: FieldPath, rules: Rules): ContainerSurroundings {
  const volumes = validateVolumes(spec.volumes, at.child("volumes"), rules);
  let claims = NO_CLAIMS;
  if (spec.resourceClaims) {
    claims = new Set(spec.resourceClaims.map(({ name }) => name).filter((name) => name !== ""));
    validatePodResourceClaims(spec.resourceClaims, at.child("resourceClaims"), rules);
  }
  return { spec, volumes, claims, hostUsers: spec.hostUsers !== false };
}

/** Names of other objects. */
function validateReferences(spec: PodSpec, at: FieldPath, { errors }: Rules): void {
  for (const field of ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] as const) {
    const name = spec[field];
    if (name === undefined || (name === "" && field !== "runtimeClassName")) continue;
    const messages = isDNS1123Subdomain(name);
    if (messages.length > 0) eachInvalid(errors, messages, at.child(field), name);
  }
}

/** For kinds that allow only some of a pod's restart policies. */
export function validateTemplateRestartPolicy(
  spec: PodSpec | undefined,
  allowed: readonly string[],
  at: FieldPath,
  errors: FieldError[],
): void {
  const policy = spec?.restartPolicy ?? "";
  if (!allowed.includes(policy)) {
    errors.push(notSupported(at.child("template", "spec", "restartPolicy"), policy, allowed));
  }
}
