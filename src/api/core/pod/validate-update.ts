/** What may change of a pod, by which door. */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import type {
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSpec,
  Toleration,
} from "../../schema/core.v1.generated.ts";
import { inRange, rulesOf } from "./checks.ts";
import { differenceOf, equalSpecs } from "./equal-spec.ts";
import { MIRROR_POD } from "./validate-annotations.ts";
import { validatePodContent } from "./validate-pod.ts";
import { validateTolerations } from "./validate-scheduling.ts";

const SPEC = FieldPath.root("spec");
const ANNOTATIONS = FieldPath.root("metadata", "annotations");
const MAX_INT32 = 2 ** 31 - 1;
const EMPTY_SPEC: PodSpec = { containers: [] };

const UPDATABLE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const now = pod.spec ?? EMPTY_SPEC;
  const was = old.spec ?? EMPTY_SPEC;
  validatePodContent(pod, errors);
  validateAnnotationUpdate(pod, old, errors);
  if (!validateContainerCount(now, was, "containers", errors)) return errors;
  if (!validateContainerCount(now, was, "initContainers", errors)) return errors;
  if (!validateDeadline(now.activeDeadlineSeconds, was.activeDeadlineSeconds, errors)) return errors;
  validateAddedTolerations(now.tolerations ?? [], was.tolerations ?? [], errors);
  validateRemovedGates(now, was, errors);
  if (equalSpecs(now, was)) return errors;
  const rest = withoutUpdatable(now, was);
  if (was.schedulingGates && was.schedulingGates.length > 0) allowWhileGated(rest, was, errors);
  if (!equalSpecs(rest, was)) {
    const difference = differenceOf(was, rest, "core.PodSpec");
    errors.push(
      forbiddenField(SPEC, `pod updates may not change fields other than ${UPDATABLE}\n${difference}`),
    );
  }
  return errors;
}

/** The new spec with all that may change taken back. */
function withoutUpdatable(now: PodSpec, was: PodSpec): PodSpec {
  const image = (list: "containers" | "initContainers") =>
    now[list]?.map((container, i) => ({ ...container, image: was[list]?.[i]?.image }));
  const rest: PodSpec = {
    ...now,
    containers: image("containers") ?? [],
    initContainers: image("initContainers"),
    activeDeadlineSeconds: was.activeDeadlineSeconds,
    schedulingGates: was.schedulingGates,
    tolerations: was.tolerations,
  };
  if ((was.terminationGracePeriodSeconds ?? 0) < 0 && now.terminationGracePeriodSeconds === 1) {
    rest.terminationGracePeriodSeconds = was.terminationGracePeriodSeconds;
  }
  return rest;
}

function validateContainerCount(
  now: PodSpec,
  was: PodSpec,
  list: "containers" | "initContainers",
  errors: FieldError[],
): boolean {
  const containers = now[list] ?? [];
  if (containers.length !== (was[list]?.length ?? 0)) {
    errors.push(forbiddenField(SPEC.child(list), "pod updates may not add or remove containers"));
    return false;
  }
  containers.forEach(({ image = "" }, i) => {
    const path = SPEC.child(list).index(i).child("image");
    if (image === "") errors.push(required(path));
    if (image.trim() !== image) {
      errors.push(invalidValue(path, image, "must not have leading or trailing whitespace"));
    }
  });
  return true;
}

/** A deadline may be set once, and then only come nearer. */
function validateDeadline(now: number | undefined, was: number | undefined, errors: FieldError[]): boolean {
  const path = SPEC.child("activeDeadlineSeconds");
  if (now === undefined) {
    if (was !== undefined) {
      errors.push(invalidValue(path, null, "must not update from a positive integer to nil value"));
    }
    return true;
  }
  if (now < 0 || now > MAX_INT32) {
    errors.push(invalidValue(path, now, inRange(0, MAX_INT32)));
    return false;
  }
  if (was !== undefined && was < now) {
    errors.push(invalidValue(path, now, "must be less than or equal to previous value"));
    return false;
  }
  return true;
}

/** What a toleration says but for its seconds; absent texts are empty ones. */
function tolerated({ key = "", operator = "", value = "", effect = "" }: Toleration): string {
  return `${key}\0${operator}\0${value}\0${effect}`;
}

function validateAddedTolerations(
  now: readonly Toleration[],
  was: readonly Toleration[],
  errors: FieldError[],
): void {
  const path = SPEC.child("tolerations");
  const kept = new Set(now.map(tolerated));
  for (const old of was) {
    if (kept.has(tolerated(old))) continue;
    const why = "existing toleration can not be modified except its tolerationSeconds";
    errors.push(forbiddenField(path, why));
    return;
  }
  validateTolerations(now, path, rulesOf(errors, true));
}

function validateRemovedGates(now: PodSpec, was: PodSpec, errors: FieldError[]): void {
  const old = new Set(was.schedulingGates?.map(({ name }) => name));
  now.schedulingGates?.forEach(({ name }, i) => {
    if (old.has(name)) return;
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(forbiddenField(SPEC.child("schedulingGates").index(i).child("name"), why));
  });
}

/** A pod that waits at a gate may still be narrowed to fewer nodes; what is allowed is taken back in `rest`. */
function allowWhileGated(rest: PodSpec, was: PodSpec, errors: FieldError[]): void {
  if (!equalSpecs(rest.nodeSelector ?? {}, was.nodeSelector ?? {})) {
    const now = rest.nodeSelector ?? {};
    const old = was.nodeSelector ?? {};
    if (Object.keys(old).some((key) => !Object.hasOwn(now, key) || now[key] !== old[key])) {
      const why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
      errors.push(invalidValue(SPEC.child("nodeSelector"), now, why));
    }
    rest.nodeSelector = was.nodeSelector;
  }
  const now = rest.affinity?.nodeAffinity;
  const old = was.affinity?.nodeAffinity;
  if (equalSpecs(now, old)) return;
  validateNodeAffinityMutation(now, old, errors);
  const { nodeAffinity: _, ...others } = rest.affinity ?? {};
  if (old) rest.affinity = { ...others, nodeAffinity: old };
  else rest.affinity = !was.affinity && Object.keys(others).length === 0 ? undefined : others;
}

function validateNodeAffinityMutation(
  now: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
  errors: FieldError[],
): void {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (before.length === 0) return;
  const after = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const path = SPEC.child(
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
  );
  if (before.length !== after.length) {
    const why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    errors.push(invalidValue(path, after, why));
    return;
  }
  before.forEach((term, i) => {
    if (onlyAdds(after[i] as NodeSelectorTerm, term)) return;
    const why = "only additions are allowed (no mutations or deletions)";
    errors.push(invalidValue(path.index(i), after[i], why));
  });
}

function onlyAdds(now: NodeSelectorTerm, was: NodeSelectorTerm): boolean {
  const size = (term: NodeSelectorTerm) =>
    (term.matchExpressions?.length ?? 0) + (term.matchFields?.length ?? 0);
  if (size(was) === 0) return size(now) === 0;
  return (["matchExpressions", "matchFields"] as const).every((list) => {
    const old = was[list] ?? [];
    return equalSpecs((now[list] ?? []).slice(0, old.length), old);
  });
}

/** Annotations whose change would move a pod between those that the kubelet and those that a controller owns. */
export function validateAnnotationUpdate(pod: Pod, old: Pod, errors: FieldError[]): void {
  const now = pod.metadata.annotations;
  const was = old.metadata.annotations;
  const mirror = now?.[MIRROR_POD];
  const before = was?.[MIRROR_POD];
  if (mirror !== before) {
    const why =
      mirror === undefined
        ? "may not remove mirror pod annotation"
        : before === undefined
          ? "may not add mirror pod annotation"
          : "may not update mirror pod annotation";
    errors.push(invalidValue(ANNOTATIONS.key(MIRROR_POD), mirror ?? before, why));
  }
}
