/** Rules that depend on the pod's operating system. */
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isDNS1123Subdomain } from "../../../machinery/names/names.ts";
import type { PodSpec, WindowsSecurityContextOptions } from "../../schema/core.v1.generated.ts";
import { eachInvalid, forbidAll, type Rules } from "./checks.ts";

const MAX_GMSA_SPEC_KIB = 64;
const MAX_DOMAIN = 256;
const MAX_USER = 104;
const CONTAINER_LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;

export function validateWindowsOptions(
  options: WindowsSecurityContextOptions,
  at: FieldPath,
  { errors }: Rules,
): void {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined) {
    const messages = isDNS1123Subdomain(gmsaCredentialSpecName);
    eachInvalid(errors, messages, at.child("gmsaCredentialSpecName"), gmsaCredentialSpecName);
  }
  if (gmsaCredentialSpec !== undefined) {
    const path = at.child("gmsaCredentialSpec");
    if (gmsaCredentialSpec === "") {
      errors.push(invalidValue(path, "", "gmsaCredentialSpec cannot be an empty string"));
    } else if (gmsaCredentialSpec.length > MAX_GMSA_SPEC_KIB * 1024) {
      const why = `gmsaCredentialSpec size must be under ${MAX_GMSA_SPEC_KIB} KiB`;
      errors.push(invalidValue(path, gmsaCredentialSpec, why));
    }
  }
  if (runAsUserName !== undefined) validateUserName(runAsUserName, at.child("runAsUserName"), errors);
}

function validateUserName(name: string, at: FieldPath, errors: Rules["errors"]): void {
  const said = (why: string) => errors.push(invalidValue(at, name, why));
  const parts = name.split("\\");
  const user = parts.length === 2 ? (parts[1] as string) : name;
  if (name === "") said("runAsUserName cannot be an empty string");
  else if (hasControl(name)) said("runAsUserName cannot contain control characters");
  else if (parts.length > 2) said("runAsUserName cannot contain more than one backslash");
  else if (parts.length === 2 && parts[0] === "") said("runAsUserName's Domain cannot be empty");
  else if (user === "") said("runAsUserName's User cannot be empty");
  else if (parts.length === 2 && (parts[0] as string).length >= MAX_DOMAIN) {
    said(`runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`);
  } else if (user.length > MAX_USER) {
    said(`runAsUserName's User length must not be longer than ${MAX_USER} characters`);
  } else if (/^[. ]+$/.test(user)) said("runAsUserName's User cannot contain only periods or spaces");
  else if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    said("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 32 || (c >= 127 && c < 160)) return true;
  }
  return false;
}

const POD_CONTEXT = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
];
const CONTAINER_CONTEXT = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
];

export function validateOS(spec: PodSpec, at: FieldPath, rules: Rules): void {
  const { os } = spec;
  if (!os) return;
  const { errors } = rules;
  if (!os.name) errors.push(required(at.child("os", "name"), "cannot be empty"));
  else if (os.name === "linux") {
    eachContext(spec, at, (context, path) =>
      forbidAll(errors, context, ["windowsOptions"], path, "windows options cannot be set for a linux pod"),
    );
  } else if (os.name === "windows") {
    const why = "cannot be set for a windows pod";
    forbidAll(errors, spec.securityContext, POD_CONTEXT, at.child("securityContext"), why);
    forbidAll(errors, spec, ["hostUsers", "shareProcessNamespace"], at, why);
    if (spec.hostPID) errors.push(forbiddenField(at.child("hostPID"), why));
    if (spec.hostIPC) errors.push(forbiddenField(at.child("hostIPC"), why));
    eachContext({ ...spec, securityContext: undefined }, at, (context, path) =>
      forbidAll(errors, context, CONTAINER_CONTEXT, path, why),
    );
  } else errors.push(notSupported(at.child("os"), os.name, ["linux", "windows"]));
}

/** The pod's security context, then each container's. */
function eachContext(spec: PodSpec, at: FieldPath, visit: (context: object, path: FieldPath) => void): void {
  if (spec.securityContext) visit(spec.securityContext, at.child("securityContext"));
  for (const list of CONTAINER_LISTS) {
    spec[list]?.forEach(({ securityContext }, i) => {
      if (securityContext) visit(securityContext, at.child(list).index(i).child("securityContext"));
    });
  }
}

/** Host process containers come all or none, in the host's network. */
export function validateHostProcess(spec: PodSpec, at: FieldPath, { errors }: Rules): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let hosts = 0;
  let others = 0;
  for (const list of CONTAINER_LISTS) {
    const containers = spec[list];
    if (!containers) continue;
    for (let i = 0; i < containers.length; i++) {
      const own = containers[i]?.securityContext?.windowsOptions?.hostProcess;
      if (own !== undefined && ofPod !== undefined && own !== ofPod) {
        const path = at.child(list).index(i).child("securityContext", "windowsOptions", "hostProcess");
        const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
        errors.push(invalidValue(path, own, why));
      }
      if (own ?? ofPod) hosts++;
      else others++;
    }
  }
  if (hosts === 0) return;
  if (others > 0) {
    const why =
      "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(invalidValue(at, "", why));
  }
  if (!spec.hostNetwork) {
    const why = "hostNetwork must be true if pod contains any hostProcess containers";
    errors.push(invalidValue(at.child("hostNetwork"), false, why));
  }
}
