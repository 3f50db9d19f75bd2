/** In-place resize, and the containers that are put into a running pod to look around. */
import { type FieldError, forbiddenField, invalidValue } from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../../schema/core.v1.generated.ts";
import { differenceOf, equalSpecs } from "./equal-spec.ts";
import { qosClassOf } from "./qos.ts";
import { MIRROR_POD } from "./validate-annotations.ts";
import { validatePodContent } from "./validate-pod.ts";
import { validateAnnotationUpdate } from "./validate-update.ts";

const SPEC = FieldPath.root("spec");
const ROOT = FieldPath.root("");
const EMPTY_SPEC: PodSpec = { containers: [] };

export function validateEphemeralUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  validatePodContent(pod, errors);
  validateAnnotationUpdate(pod, old, errors);
  if (old.metadata.annotations?.[MIRROR_POD] !== undefined) {
    return [forbiddenField(ROOT, "static pods do not support ephemeral containers")];
  }
  const now = new Map(pod.spec?.ephemeralContainers?.map((container) => [container.name, container]));
  const path = SPEC.child("ephemeralContainers");
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const name = JSON.stringify(container.name);
    const kept = now.get(container.name);
    if (!kept) {
      errors.push(forbiddenField(path, `existing ephemeral containers ${name} may not be removed\n`));
    } else if (!equalSpecs(container, kept)) {
      const difference = differenceOf(container, kept, "core.EphemeralContainer");
      errors.push(
        forbiddenField(path, `existing ephemeral containers ${name} may not be changed\n${difference}`),
      );
    }
  }
  return errors;
}

export function validateResize(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const now = pod.spec ?? EMPTY_SPEC;
  const was = old.spec ?? EMPTY_SPEC;
  validatePodContent(pod, errors);
  if (old.metadata.annotations?.[MIRROR_POD] !== undefined) {
    return [forbiddenField(ROOT, "static pods cannot be resized")];
  }
  if (was.os?.name === "windows") return [forbiddenField(ROOT, "windows pods cannot be resized")];
  if ((old.status?.qosClass ?? qosClassOf(was)) !== qosClassOf(now)) {
    const why = "Pod QOS Class may not change as a result of resizing";
    errors.push(invalidValue(SPEC, pod.status?.qosClass ?? "", why));
  }
  if (!nodeCanResize(old)) {
    errors.push(forbiddenField(SPEC, "Pod running on node without support for resize"));
  }
  validateContainers(now, was, errors);
  return errors;
}

/** A running container whose status tells its resources runs on a node that can change them. */
function nodeCanResize(pod: Pod): boolean {
  for (const { state, resources } of pod.status?.containerStatuses ?? []) {
    if (state?.running) return resources !== undefined;
  }
  return true;
}

function validateContainers(now: PodSpec, was: PodSpec, errors: FieldError[]): void {
  if (was.resources) validateChange(now.resources, was.resources, SPEC.child("resources"), errors);
  was.initContainers?.forEach((container, i) => {
    if (container.restartPolicy !== "Always") return;
    const path = SPEC.child("initContainers").index(i).child("resources");
    validateChange(now.initContainers?.[i]?.resources, container.resources, path, errors);
  });
  was.containers.forEach((container, i) => {
    const path = SPEC.child("containers").index(i).child("resources");
    validateChange(now.containers[i]?.resources, container.resources, path, errors);
  });
  const before = errors.length;
  const rest: PodSpec = {
    ...now,
    ...(now.resources && { resources: withOldAmounts(now.resources, was.resources) }),
    containers: now.containers.map((container, i) => {
      const plain = withOldComputes(container, was.containers[i]);
      if (!equalSpecs(plain, was.containers[i])) {
        errors.push(forbiddenField(SPEC, "only cpu and memory resources are mutable"));
      }
      return plain;
    }),
    initContainers: now.initContainers?.map((container, i) => {
      const old = was.initContainers?.[i];
      const sidecar = container.restartPolicy === "Always";
      const plain = sidecar ? withOldComputes(container, old) : container;
      if (!equalSpecs(plain, old)) {
        const why = sidecar
          ? "only cpu and memory resources for sidecar containers are mutable"
          : "resources for non-sidecar init containers are immutable";
        errors.push(forbiddenField(SPEC, why));
      }
      return plain;
    }),
  };
  if (errors.length === before && !equalSpecs(rest, was)) {
    errors.push(forbiddenField(SPEC, "only cpu and memory resources are mutable"));
  }
}

type Quantities = Record<string, string> | undefined;

function withOldComputes(container: Container, old: Container | undefined): Container {
  const resources = withOldAmounts(container.resources, old?.resources);
  return { ...container, resources, resizePolicy: old?.resizePolicy };
}

/** With the CPU and memory of before. */
function withOldAmounts(
  now: ResourceRequirements | undefined,
  was: ResourceRequirements | undefined,
): ResourceRequirements {
  const take = (now: Quantities, was: Quantities): Quantities => {
    if (!was) return undefined;
    const kept = { ...now };
    for (const name of ["cpu", "memory"]) {
      delete kept[name];
      const before = was[name];
      if (before !== undefined) kept[name] = before;
    }
    return kept;
  };
  const resources: ResourceRequirements = {
    limits: take(now?.limits, was?.limits),
    requests: take(now?.requests, was?.requests),
  };
  if (now?.claims) resources.claims = now.claims;
  return resources;
}

function removed(now: Quantities, was: Quantities): boolean {
  return Object.keys(was ?? {}).some((name) => !Object.hasOwn(now ?? {}, name));
}

function validateChange(
  now: ResourceRequirements | undefined,
  was: ResourceRequirements | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { limits, requests } = now ?? {};
  if (removed(requests, was?.requests)) {
    errors.push(forbiddenField(path.child("requests"), "resource requests cannot be removed"));
  }
  if (removed(limits, was?.limits)) {
    errors.push(forbiddenField(path.child("limits"), "resource limits cannot be removed"));
  }
}
