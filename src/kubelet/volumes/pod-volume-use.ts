/** What the containers of a pod do with its volumes. */
import type { Container, EphemeralContainer, Pod, Volume } from "../../api/schema/core.v1.generated.ts";

function allContainers({ spec }: Pod): (Container | EphemeralContainer)[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

/** Those that a container mounts or has as a device; the others are not even looked at. */
export function usedVolumes(pod: Pod): Volume[] {
  const names = new Set<string>();
  for (const { volumeMounts, volumeDevices } of allContainers(pod)) {
    for (const { name } of volumeMounts ?? []) names.add(name);
    for (const { name } of volumeDevices ?? []) names.add(name);
  }
  return (pod.spec?.volumes ?? []).filter(({ name }) => names.has(name));
}

export function fsGroupOf({ spec }: Pod): number | undefined {
  return spec?.securityContext?.fsGroup;
}

/** The user that all containers run as, where they say the same; undefined else. */
export function commonUser({ spec }: Pod): number | undefined {
  const users = new Set(
    [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
      ({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser,
    ),
  );
  return users.size === 1 ? [...users][0] : undefined;
}
