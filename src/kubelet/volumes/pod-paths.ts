/**
 * Where a pod's volumes are; upstream's layout:
 *
 *   <root>/pods/<uid>/volumes/kubernetes.io~<plugin>/<name>            the volume
 *   <root>/pods/<uid>/volume-subpaths/<name>/<container>/<mount>       parts of it, mounted there
 *   <root>/pods/<uid>/volumeDevices/kubernetes.io~<plugin>/<name>      raw devices
 *   <root>/volatile/<uid>/kubernetes.io~<plugin>/<name>                what may not be written to the disk
 */
import { join } from "node:path";

export interface PodPaths {
  uid: string;
  /** The pod's own directory. */
  pod: string;
  /** Of the pod on the tmpfs that all pods of the node share: secrets, tokens. */
  volatile: string;
  volume(plugin: string, name: string): string;
  volatileVolume(plugin: string, name: string): string;
  device(plugin: string, name: string): string;
  subPath(volume: string, container: string, mount: number): string;
}

/** Throws where the uid is no name of a directory. */
export function podPaths(root: string, uid: string): PodPaths {
  if (uid === "" || uid === "." || uid === ".." || uid.includes("/") || uid.includes("\0")) {
    throw new Error(`${JSON.stringify(uid)} is no uid of a pod`);
  }
  const pod = join(podsDirectory(root), uid);
  const volatile = join(volatileDirectory(root), uid);
  return {
    uid,
    pod,
    volatile,
    volume: (plugin, name) => join(pod, "volumes", plugin, name),
    volatileVolume: (plugin, name) => join(volatile, plugin, name),
    device: (plugin, name) => join(pod, "volumeDevices", plugin, name),
    subPath: (volume, container, mount) => join(pod, "volume-subpaths", volume, container, String(mount)),
  };
}

export function podsDirectory(root: string): string {
  return join(root, "pods");
}

export function volatileDirectory(root: string): string {
  return join(root, "volatile");
}
