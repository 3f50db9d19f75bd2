/** Annotations that mean something to a pod. */
import { type FieldError, forbiddenField, invalidValue } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import type { AppArmorProfile, PodSpec, SeccompProfile } from "../../schema/core.v1.generated.ts";
import { localDescendingPath, type Rules } from "./checks.ts";

type Annotations = Readonly<Record<string, string>>;

export const MIRROR_POD = "kubernetes.io/config.mirror";
export const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APPARMOR_CONTAINER = "container.apparmor.security.beta.kubernetes.io/";
const LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;
const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

export function validatePodAnnotations(
  annotations: Annotations,
  spec: PodSpec,
  at: FieldPath,
  { errors, isPod }: Rules,
): void {
  for (const key in annotations) {
    const value = annotations[key] as string;
    if (key === MIRROR_POD) {
      if (isPod && !spec.nodeName) {
        const why = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(invalidValue(at.key(key), value, why));
      }
    } else if (key === DELETION_COST) {
      if (!isInt32(value)) {
        errors.push(invalidValue(at.key(key), value, "must be a 32bit integer"));
      }
    } else if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) {
      validateSeccompAnnotation(value, at.child(key), errors);
    } else if (key.startsWith(APPARMOR_CONTAINER)) validateAppArmorAnnotation(key, value, spec, at, errors);
  }
}

/** A whole number as Go's ParseInt takes it, without a plus sign or leading zeros, which would order differently. */
function isInt32(text: string): boolean {
  if (!/^(-?[1-9][0-9]{0,9}|0)$/.test(text)) return false;
  const value = Number(text);
  return value >= INT32.min && value <= INT32.max;
}

function validateSeccompAnnotation(profile: string, at: FieldPath, errors: FieldError[]): void {
  if (profile === "runtime/default" || profile === "docker/default" || profile === "unconfined") return;
  if (profile.startsWith("localhost/")) localDescendingPath(errors, profile.slice("localhost/".length), at);
  else errors.push(invalidValue(at, profile, "must be a valid seccomp profile"));
}

function validateAppArmorAnnotation(
  key: string,
  profile: string,
  spec: PodSpec,
  at: FieldPath,
  errors: FieldError[],
): void {
  const name = key.slice(APPARMOR_CONTAINER.length);
  if (!LISTS.some((list) => spec[list]?.some((container) => container.name === name))) {
    errors.push(invalidValue(at.key(key), name, "container not found"));
  }
  const known =
    profile === "" ||
    profile === "runtime/default" ||
    profile === "unconfined" ||
    profile.startsWith("localhost/");
  if (!known) {
    const why = `invalid AppArmor profile name: ${JSON.stringify(profile)}`;
    errors.push(invalidValue(at.key(key), profile, why));
  }
}

/** Where an annotation of old and a field both give a profile, they must give the same one. */
export function validateProfilesMatchAnnotations(
  annotations: Annotations,
  spec: PodSpec,
  at: FieldPath,
  errors: FieldError[],
): void {
  const pod = spec.securityContext;
  if (pod?.seccompProfile && Object.hasOwn(annotations, SECCOMP_POD)) {
    const path = at.child("securityContext", "seccompProfile");
    matchSeccomp(annotations[SECCOMP_POD] as string, pod.seccompProfile, path, errors);
  }
  for (const list of LISTS) {
    spec[list]?.forEach(({ name, securityContext }, i) => {
      const path = at.child(list).index(i).child("securityContext");
      const seccomp = annotations[SECCOMP_CONTAINER + name];
      if (securityContext?.seccompProfile && seccomp !== undefined) {
        matchSeccomp(seccomp, securityContext.seccompProfile, path.child("seccompProfile"), errors);
      }
      const appArmor = annotations[APPARMOR_CONTAINER + name];
      const profile = securityContext?.appArmorProfile ?? pod?.appArmorProfile;
      if (profile && appArmor !== undefined && spec.os?.name !== "windows") {
        matchAppArmor(appArmor, profile, path.child("appArmorProfile"), errors);
      }
    });
  }
}

type Profile = Pick<SeccompProfile | AppArmorProfile, "type" | "localhostProfile">;

function matchProfile(
  annotation: string,
  profile: Profile,
  defaults: readonly string[],
  what: string,
  at: FieldPath,
  errors: FieldError[],
): void {
  const typeDiffers = () =>
    errors.push(forbiddenField(at.child("type"), `${what} type in annotation and field must match`));
  if (profile.type === "Unconfined") {
    if (annotation !== "unconfined") typeDiffers();
  } else if (profile.type === "RuntimeDefault") {
    if (!defaults.includes(annotation)) typeDiffers();
  } else if (profile.type === "Localhost") {
    if (!annotation.startsWith("localhost/")) typeDiffers();
    else if (annotation.slice("localhost/".length) !== profile.localhostProfile) {
      const why = `${what} profile in annotation and field must match`;
      errors.push(forbiddenField(at.child("localhostProfile"), why));
    }
  }
}

function matchSeccomp(
  annotation: string,
  profile: SeccompProfile,
  at: FieldPath,
  errors: FieldError[],
): void {
  matchProfile(annotation, profile, ["runtime/default", "docker/default"], "seccomp", at, errors);
}

function matchAppArmor(
  annotation: string,
  profile: AppArmorProfile,
  at: FieldPath,
  errors: FieldError[],
): void {
  matchProfile(annotation, profile, ["runtime/default"], "apparmor", at, errors);
}
