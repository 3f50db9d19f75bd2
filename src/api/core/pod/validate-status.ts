/** What a kubelet or controller may write into a pod's status. */

import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
} from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import {
  isDNS1123Subdomain,
  isQualifiedName,
  isValidIPForLegacyField,
} from "../../../machinery/names/names.ts";
import type { Container, ContainerStatus, Pod, PodStatus } from "../../schema/core.v1.generated.ts";
import { eachInvalid, inRange } from "./checks.ts";
import { mayRestartAll } from "./restart-rules.ts";
import { validateAnnotationUpdate } from "./validate-update.ts";

const STATUS = FieldPath.root("status");
const SYSTEM_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized"]);
const HEALTH = ["Healthy", "Unhealthy", "Unknown"];
const MAX_ID = 2 ** 31 - 1;

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const now = pod.status ?? {};
  const was = old.status ?? {};
  validateAnnotationUpdate(pod, old, errors);
  now.conditions?.forEach(({ type }, i) => {
    if (SYSTEM_CONDITIONS.has(type)) return;
    const path = FieldPath.root("metadata", "conditions").index(i).child("Type");
    eachInvalid(errors, isQualifiedName(type), path, type);
  });
  if (pod.spec?.nodeName !== old.spec?.nodeName) {
    errors.push(forbiddenField(STATUS.child("nodeName"), "may not be changed directly"));
  }
  const nominated = now.nominatedNodeName;
  if (nominated && nominated !== was.nominatedNodeName) {
    eachInvalid(errors, isDNS1123Subdomain(nominated), STATUS.child("nominatedNodeName"), nominated);
  }
  if ((now.qosClass ?? "") !== (was.qosClass ?? "")) {
    errors.push(invalidValue(STATUS.child("qosClass"), now.qosClass ?? "", "field is immutable"));
  }
  validateTransitions(pod, now, was, errors);
  validateClaimStatuses(pod, now, errors);
  validateIPs(now.podIPs, "podIPs", errors);
  if (now.hostIPs && now.hostIPs.length > 0 && now.hostIP !== now.hostIPs[0]?.ip) {
    const path = STATUS.child("hostIPs").index(0).child("ip");
    errors.push(invalidValue(path, now.hostIPs[0]?.ip ?? "", "must be equal to `hostIP`"));
  }
  validateIPs(now.hostIPs, "hostIPs", errors);
  for (const list of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) {
    validateUsers(now[list], STATUS.child(list), pod.spec?.os?.name === "windows", errors);
  }
  validateAllocated(now.containerStatuses, pod.spec?.containers, STATUS.child("containerStatuses"), errors);
  const init = STATUS.child("initContainerStatuses");
  validateAllocated(now.initContainerStatuses, pod.spec?.initContainers, init, errors);
  now.ephemeralContainerStatuses?.forEach(({ allocatedResourcesStatus }, i) => {
    if (!allocatedResourcesStatus || allocatedResourcesStatus.length === 0) return;
    const path = STATUS.child("ephemeralContainerStatuses").index(i).child("allocatedResourcesStatus");
    errors.push(forbiddenField(path, "must not be specified in container status"));
  });
  return errors;
}

type Statuses = readonly ContainerStatus[] | undefined;

/** A container that ended and is not to be restarted does not run again. */
function validateTransitions(pod: Pod, now: PodStatus, was: PodStatus, errors: FieldError[]): void {
  const policies = new Map<string, string>();
  const ofPod = pod.spec?.restartPolicy ?? "Always";
  for (const list of ["containers", "initContainers"] as const) {
    for (const container of pod.spec?.[list] ?? []) {
      // Rules may restart a container that its policy would leave alone.
      const ruled = (container.restartPolicyRules?.length ?? 0) > 0;
      policies.set(container.name, ruled ? "Always" : (container.restartPolicy ?? ofPod));
    }
  }
  const all = mayRestartAll(pod);
  const policyOf = (name: string) => (all ? "Always" : (policies.get(name) ?? ofPod));
  transition(now.containerStatuses, was.containerStatuses, "containerStatuses", policyOf, errors);
  transition(now.initContainerStatuses, was.initContainerStatuses, "initContainerStatuses", policyOf, errors);
  const never = () => "Never";
  transition(
    now.ephemeralContainerStatuses,
    was.ephemeralContainerStatuses,
    "ephemeralContainerStatuses",
    never,
    errors,
  );
}

function transition(
  now: Statuses,
  was: Statuses,
  list: string,
  policyOf: (name: string) => string,
  errors: FieldError[],
): void {
  was?.forEach((old, i) => {
    const ended = old.state?.terminated;
    if (!ended) return;
    const policy = policyOf(old.name);
    if (policy === "Always" || (ended.exitCode !== 0 && policy === "OnFailure")) return;
    if (now?.some(({ name, state }) => name === old.name && !state?.terminated)) {
      const path = STATUS.child(list).index(i).child("state");
      errors.push(forbiddenField(path, "may not be transitioned to non-terminated state"));
    }
  });
}

function validateClaimStatuses(pod: Pod, now: PodStatus, errors: FieldError[]): void {
  const seen = new Set<string>();
  now.resourceClaimStatuses?.forEach(({ name, resourceClaimName }, i) => {
    const path = STATUS.child("resourceClaimStatuses").index(i).child("name");
    if (!pod.spec?.resourceClaims?.some((claim) => claim.name === name)) {
      errors.push(invalidValue(path, name, "must match the name of an entry in `spec.resourceClaims`"));
    }
    if (seen.has(name)) errors.push(duplicate(path, name));
    seen.add(name);
    if (resourceClaimName !== undefined) {
      eachInvalid(errors, isDNS1123Subdomain(resourceClaimName), path, resourceClaimName);
    }
  });
}

/** At most one address of each family, none twice. */
function validateIPs(ips: readonly { ip: string }[] | undefined, name: string, errors: FieldError[]): void {
  if (!ips || ips.length === 0) return;
  const path = STATUS.child(name);
  for (let i = 0; i < ips.length; i++) {
    const ip = ips[i]?.ip ?? "";
    const messages = isValidIPForLegacyField(ip);
    if (messages.length > 0) eachInvalid(errors, messages, path.index(i), ip);
  }
  if (ips.length === 1) return;
  const families = new Set(ips.map(({ ip }) => ip.includes(":")));
  if (families.size < 2 || ips.length > 2) {
    errors.push(invalidValue(path, ips, "may specify no more than one IP for each IP family"));
  }
  ips.forEach((each, i) => {
    if (ips.findIndex(({ ip }) => ip === each.ip) < i) errors.push(duplicate(path.index(i), each));
  });
}

function validateUsers(statuses: Statuses, at: FieldPath, windows: boolean, errors: FieldError[]): void {
  statuses?.forEach(({ user }, i) => {
    const linux = user?.linux;
    if (!linux) return;
    const path = at.index(i).child("linux");
    if (windows) {
      errors.push(forbiddenField(path, "cannot be set for a windows pod"));
      return;
    }
    const check = (id: number, where: FieldPath) => {
      if (!(id >= 0 && id <= MAX_ID)) errors.push(invalidValue(where, id, inRange(0, MAX_ID)));
    };
    check(linux.uid, path.child("uid"));
    check(linux.gid, path.child("gid"));
    linux.supplementalGroups?.forEach((id, j) => {
      check(id, path.child("supplementalGroups").index(j));
    });
  });
}

function validateAllocated(
  statuses: Statuses,
  containers: readonly Container[] | undefined,
  at: FieldPath,
  errors: FieldError[],
): void {
  statuses?.forEach(({ name: container, allocatedResourcesStatus }, i) => {
    if (!allocatedResourcesStatus) return;
    const owner = containers?.find(({ name }) => name === container);
    allocatedResourcesStatus.forEach(({ name, resources }, j) => {
      const path = at.index(i).child("allocatedResourcesStatus").index(j);
      if (owner && !isAllocated(owner, name)) {
        const why = name.startsWith("claim:")
          ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
          : "must match one of the container's resource requests";
        errors.push(invalidValue(path.child("name"), name, why));
      }
      const ids = new Set<string>();
      resources?.forEach(({ health, resourceID }, k) => {
        const field = path.child("resources").index(k);
        if (!HEALTH.includes(health ?? ""))
          errors.push(notSupported(field.child("health"), health ?? "", HEALTH));
        if (ids.has(resourceID)) errors.push(duplicate(field.child("resourceID"), resourceID));
        ids.add(resourceID);
      });
    });
  });
}

function isAllocated({ resources }: Container, name: string): boolean {
  if (!name.startsWith("claim:")) return Object.hasOwn(resources?.requests ?? {}, name);
  return (resources?.claims ?? []).some(
    (claim) => name === `claim:${claim.name}${claim.request ? `/${claim.request}` : ""}`,
  );
}
