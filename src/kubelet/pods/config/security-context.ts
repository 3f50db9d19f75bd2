/** What a pod's and a container's security contexts come to in the runtime's terms. */
import { posix } from "node:path";
import type {
  AppArmorProfile,
  Container,
  Pod,
  PodSecurityContext,
  SeccompProfile,
} from "../../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../../host/grpc/messages.ts";
import { PodError } from "../../ports.ts";
import type { LinuxContainerSecurityContext } from "../../runtime/cri/containers.ts";
import {
  type LinuxSandboxSecurityContext,
  NamespaceMode,
  type NamespaceOption,
  ProfileType,
  type SecurityProfile,
  SupplementalGroupsPolicy,
} from "../../runtime/cri/shared.ts";
import { podText } from "../pod-name.ts";

const MASKED = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export interface SecurityDefaults {
  seccompDefault: boolean;
  /** The folder of seccomp profiles of type Localhost. */
  seccompProfiles: string;
}

/** The user that an image runs as where nobody says another. */
export interface ImageUser {
  uid?: number;
  username: string;
}

export function namespacesOf({ spec }: Pod, target?: { containerID: string }): Sent<typeof NamespaceOption> {
  const { NODE, POD, CONTAINER, TARGET } = NamespaceMode;
  const own = spec?.shareProcessNamespace ? POD : CONTAINER;
  const pid = spec?.hostPID ? NODE : own;
  return {
    network: spec?.hostNetwork ? NODE : POD,
    ipc: spec?.hostIPC ? NODE : POD,
    ...(target && pid === CONTAINER ? { pid: TARGET, targetId: target.containerID } : { pid }),
  };
}

export function sandboxSecurityContext(pod: Pod): Sent<typeof LinuxSandboxSecurityContext> {
  const context = pod.spec?.securityContext;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return {
    privileged: all.some(({ securityContext }) => securityContext?.privileged === true),
    namespaceOptions: namespacesOf(pod),
    seccomp: { profileType: ProfileType.RuntimeDefault },
    ...(context?.seLinuxOptions ? { selinuxOptions: context.seLinuxOptions } : {}),
    ...(context?.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
    ...(context?.runAsGroup === undefined ? {} : { runAsGroup: { value: context.runAsGroup } }),
    supplementalGroups: supplementalGroups(context, []),
    supplementalGroupsPolicy: groupsPolicy(context),
  };
}

/** `fsGroups`: those that own the pod's volumes. */
export function containerSecurityContext(
  pod: Pod,
  container: Container,
  fsGroups: readonly number[],
  defaults: SecurityDefaults,
  target?: { containerID: string },
): Sent<typeof LinuxContainerSecurityContext> {
  const ofPod = pod.spec?.securityContext;
  const own = container.securityContext;
  const runAsUser = own?.runAsUser ?? ofPod?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? ofPod?.runAsGroup;
  const unmasked = own?.procMount === "Unmasked";
  const selinuxOptions = own?.seLinuxOptions ?? ofPod?.seLinuxOptions;
  const apparmor = apparmorOf(own?.appArmorProfile ?? ofPod?.appArmorProfile);
  return {
    privileged: own?.privileged === true,
    namespaceOptions: namespacesOf(pod, target),
    ...(own?.capabilities
      ? {
          capabilities: {
            addCapabilities: own.capabilities.add ?? [],
            dropCapabilities: own.capabilities.drop ?? [],
          },
        }
      : {}),
    ...(selinuxOptions ? { selinuxOptions } : {}),
    ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    supplementalGroups: supplementalGroups(ofPod, fsGroups),
    supplementalGroupsPolicy: groupsPolicy(ofPod),
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED,
    readonlyPaths: unmasked ? [] : READ_ONLY,
    seccomp: seccompOf(own?.seccompProfile ?? ofPod?.seccompProfile, defaults),
    ...(apparmor ? { apparmor } : {}),
  };
}

/** Whether the image's own user decides if the container may run. */
export function needsImageUser(pod: Pod, { securityContext }: Container): boolean {
  const ofPod = pod.spec?.securityContext;
  return (
    (securityContext?.runAsNonRoot ?? ofPod?.runAsNonRoot) === true &&
    (securityContext?.runAsUser ?? ofPod?.runAsUser) === undefined
  );
}

/** Throws PodError where the container must not run as root and would, or might. */
export function checkRunAsNonRoot(pod: Pod, container: Container, image: ImageUser | undefined): void {
  const ofPod = pod.spec?.securityContext;
  const own = container.securityContext;
  if ((own?.runAsNonRoot ?? ofPod?.runAsNonRoot) !== true) return;
  const where = `(pod: ${JSON.stringify(podText(pod))}, container: ${container.name})`;
  const refuse = (why: string): PodError => new PodError("CreateContainerConfigError", `${why} ${where}`);
  const runAsUser = own?.runAsUser ?? ofPod?.runAsUser;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw refuse("container's runAsUser breaks non-root policy");
  } else if (image?.uid !== undefined) {
    if (image.uid === 0) throw refuse("container has runAsNonRoot and image will run as root");
  } else if (image && image.username !== "") {
    throw refuse(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`,
    );
  } else throw refuse("container has runAsNonRoot and image will run as root");
}

function supplementalGroups(
  context: PodSecurityContext | undefined,
  fsGroups: readonly number[],
): readonly number[] {
  const groups = new Set(context?.supplementalGroups ?? []);
  if (context?.fsGroup !== undefined) groups.add(context.fsGroup);
  for (const group of fsGroups) groups.add(group);
  return [...groups];
}

function groupsPolicy(context: PodSecurityContext | undefined): number {
  return context?.supplementalGroupsPolicy === "Strict"
    ? SupplementalGroupsPolicy.Strict
    : SupplementalGroupsPolicy.Merge;
}

function seccompOf(
  profile: SeccompProfile | undefined,
  { seccompDefault, seccompProfiles }: SecurityDefaults,
): Sent<typeof SecurityProfile> {
  switch (profile?.type) {
    case "RuntimeDefault":
      return { profileType: ProfileType.RuntimeDefault };
    case "Localhost":
      return {
        profileType: ProfileType.Localhost,
        localhostRef: posix.join(seccompProfiles, posix.join("/", profile.localhostProfile ?? "")),
      };
    case undefined:
      return { profileType: seccompDefault ? ProfileType.RuntimeDefault : ProfileType.Unconfined };
    default:
      return { profileType: ProfileType.Unconfined };
  }
}

function apparmorOf(profile: AppArmorProfile | undefined): Sent<typeof SecurityProfile> | undefined {
  switch (profile?.type) {
    case "RuntimeDefault":
      return { profileType: ProfileType.RuntimeDefault };
    case "Localhost":
      return { profileType: ProfileType.Localhost, localhostRef: profile.localhostProfile ?? "" };
    case "Unconfined":
      return { profileType: ProfileType.Unconfined };
    default:
      return undefined;
  }
}
