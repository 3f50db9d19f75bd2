/** What a container is told to mount. */
import { isAbsolute } from "node:path";
import type { Container, VolumeMount } from "../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import type { Mounts } from "../../host/mounts/mounts.ts";
import { expand } from "../pods/config/expand.ts";
import { PodError } from "../ports.ts";
import type { Device } from "../runtime/cri/containers.ts";
import { type Mount, MountPropagation } from "../runtime/cri/shared.ts";
import type { ShownImage } from "./image-volume.ts";
import type { PodPaths } from "./pod-paths.ts";
import { mountSubPath } from "./sub-path.ts";
import type { MountedVolume } from "./volume-plugin.ts";

export interface ContainerMountPorts {
  mounts: Mounts;
  /** Brings an image volume about. */
  showImage(name: string): Promise<ShownImage>;
  /** Whether the runtime can mount read-only what is mounted below, too. */
  canMountRecursivelyReadOnly(): Promise<boolean>;
}

type Volumes = ReadonlyMap<string, MountedVolume>;
type CRIMount = Sent<typeof Mount>;

/** All of them, or the error of the first that is wrong. Throws PodError (CreateContainerConfigError). */
export async function containerMounts(
  ports: ContainerMountPorts,
  paths: PodPaths,
  container: Container,
  volumes: Volumes,
  environment: ReadonlyMap<string, string>,
): Promise<CRIMount[]> {
  const all = (container.volumeMounts ?? []).map((mount, i) =>
    containerMount({ ports, paths, container, volumes, environment }, mount, i),
  );
  const settled = await Promise.allSettled(all);
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

interface Context {
  ports: ContainerMountPorts;
  paths: PodPaths;
  container: Container;
  volumes: Volumes;
  environment: ReadonlyMap<string, string>;
}

async function containerMount(context: Context, mount: VolumeMount, index: number): Promise<CRIMount> {
  const { ports, container, volumes } = context;
  const volume = volumes.get(mount.name);
  if (!volume) {
    throw wrong(`cannot find volume ${quoted(mount.name)} to mount into container ${quoted(container.name)}`);
  }
  const subPath = subPathOf(context, mount);
  const containerPath = isAbsolute(mount.mountPath) ? mount.mountPath : `/${mount.mountPath}`;
  let { hostPath } = volume;
  if (volume.image) {
    const shown = await ports.showImage(mount.name);
    if ("image" in shown) {
      return { containerPath, image: { image: shown.image }, imageSubPath: subPath, readonly: true };
    }
    hostPath = shown.hostPath;
  }
  const readonly = volume.readOnly || (mount.readOnly ?? false);
  return {
    containerPath,
    hostPath: subPath === "" ? hostPath : await part(context, mount, index, hostPath, subPath),
    readonly,
    propagation: propagationOf(mount),
    recursiveReadOnly: await recursiveReadOnly(ports, mount),
    // The kernel maps no users of an overlay: in a pod with users of its own the files are nobody's.
    ...(volume.image ? { uidMappings: [], gidMappings: [] } : {}),
  };
}

function subPathOf({ environment }: Context, { subPath = "", subPathExpr = "" }: VolumeMount): string {
  const missing: string[] = [];
  const path =
    subPathExpr === ""
      ? subPath
      : expand(subPathExpr, (name) => {
          const value = environment.get(name);
          if (value === undefined) missing.push(name);
          return value;
        });
  if (missing.length > 0) throw wrong(`missing value for ${quoted(missing[0]!)}`);
  if (path === "") return path;
  if (isAbsolute(path)) throw wrong(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split("/").includes("..")) {
    throw wrong(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  }
  return path;
}

async function part(
  { ports, paths, container, volumes }: Context,
  { name }: VolumeMount,
  index: number,
  hostPath: string,
  subPath: string,
): Promise<string> {
  const target = paths.subPath(name, container.name, index);
  const ofImage = volumes.get(name)?.image !== undefined;
  try {
    await mountSubPath(ports.mounts, hostPath, subPath, target, { make: !ofImage });
  } catch (error) {
    const what = `failed to prepare subPath for volumeMount ${quoted(name)} of container ${quoted(container.name)}`;
    const message = `${what}: ${(error as Error).message}`;
    // A runtime that mounts images finds it out when it is to create the container.
    throw ofImage ? new PodError("CreateContainerError", message, error) : wrong(message, error);
  }
  return target;
}

function propagationOf({ mountPropagation }: VolumeMount): number {
  switch (mountPropagation) {
    case "HostToContainer":
      return MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
    case "Bidirectional":
      return MountPropagation.PROPAGATION_BIDIRECTIONAL;
    default:
      return MountPropagation.PROPAGATION_PRIVATE;
  }
}

async function recursiveReadOnly(ports: ContainerMountPorts, mount: VolumeMount): Promise<boolean> {
  const asked = mount.recursiveReadOnly;
  if (!mount.readOnly || (asked !== "Enabled" && asked !== "IfPossible")) return false;
  if (await ports.canMountRecursivelyReadOnly()) return true;
  if (asked === "IfPossible") return false;
  throw wrong(
    `volume ${quoted(mount.name)} requested recursive read-only mode, but it is not supported by the runtime`,
  );
}

export function containerDevices(container: Container, volumes: Volumes): Sent<typeof Device>[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name);
    if (!volume?.device) {
      throw wrong(`cannot find volume ${quoted(name)} to pass into container ${quoted(container.name)}`);
    }
    return { hostPath: volume.device, containerPath: devicePath, permissions: volume.readOnly ? "r" : "mrw" };
  });
}

function wrong(message: string, cause?: unknown): PodError {
  return new PodError("CreateContainerConfigError", message, cause);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
