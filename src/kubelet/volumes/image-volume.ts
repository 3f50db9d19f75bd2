/**
 * Image volumes: the files of an image of the node's, or pulled. A runtime that mounts images itself is told the image:
 *
 *   image → CRI mount of the image
 *
 * containerd before 2.2 is asked for a view of the image, which is mounted in the pod's directory like other volumes:
 *
 *   image → record → view → <pod>/volumes/kubernetes.io~image/<name> → CRI mount of that directory
 *
 * The record is there first and goes last, so that tearing down finds what a crash left. What is mounted stays until then,
 * whatever becomes of the image: all containers of a pod see the same.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { ImageViews } from "../../host/containerd/image-views.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import type { Mounts } from "../../host/mounts/mounts.ts";
import { type ImageManager, PodError } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import {
  IMAGE_PLUGIN,
  imageRecords,
  readImageRecord,
  removeImageRecord,
  writeImageRecord,
} from "./image-records.ts";
import type { PodPaths } from "./pod-paths.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

export interface ImageVolumePorts {
  runtime: Pick<ContainerRuntime, "version" | "status" | "imageStatus" | "imageFsInfo">;
  images: Pick<ImageManager, "ensure">;
  mounts: Mounts;
  views: ImageViews;
}

/** A volume of a pod. */
interface OfPod {
  paths: PodPaths;
  name: string;
}

export interface ImagePull extends OfPod {
  pod: Pod;
  reference: string;
  pullPolicy: string;
}

/** What containers mount: the image by the runtime's id, or a directory. */
export type ShownImage = { image: string } | { hostPath: string };

/** containerd mounts images and parts of them since this version; 2.1 takes no subPath, and says nothing of it. */
const CONTAINERD_SINCE = [2, 2] as const;
const DEFAULT_SNAPSHOTTER = "overlayfs";
/** Where one keeps its snapshots, before its name. */
const SNAPSHOTTER_PLUGIN = "io.containerd.snapshotter.v1.";

export class ImageVolumes {
  readonly plugin: VolumePlugin = {
    directory: IMAGE_PLUGIN,
    owns: ({ volume }) => volume.image !== undefined,
    // The image is pulled when a container is about to start: that is what waits for it.
    async setUp({ volume }) {
      const { reference = "", pullPolicy = "IfNotPresent" } = volume.image ?? {};
      return { hostPath: "", readOnly: true, image: { reference, pullPolicy } };
    },
    tearDown: (paths) => this.#tearDown(paths),
  };
  readonly #ports: ImageVolumePorts;
  /** By the volume: several containers of a pod ask for it at once. */
  readonly #asked = new Map<string, Promise<string | undefined>>();

  constructor(ports: ImageVolumePorts) {
    this.#ports = ports;
  }

  /** The image as the runtime names it; undefined where the volume is mounted already. Throws ImageError. */
  pull(request: ImagePull): Promise<string | undefined> {
    const target = targetOf(request);
    const asked = this.#asked.get(target);
    if (asked) return asked;
    const pulled = this.#pull(request, target).finally(() => this.#asked.delete(target));
    this.#asked.set(target, pulled);
    return pulled;
  }

  async #pull({ pod, reference, pullPolicy }: ImagePull, target: string): Promise<string | undefined> {
    const { images, mounts } = this.#ports;
    if (await mounts.isMountPoint(target)) return undefined;
    const { imageRef } = await images.ensure({ pod, image: reference, pullPolicy, sandboxConfig: {} });
    return imageRef;
  }

  /**
   * While nobody else works on the pod's directory. `imageRef` is what was pulled. Throws PodError: CreateContainerError
   * where the image cannot be mounted.
   */
  async show({ paths, name, imageRef }: OfPod & { imageRef: string | undefined }): Promise<ShownImage> {
    const { runtime, mounts } = this.#ports;
    const target = targetOf({ paths, name });
    try {
      if (await mounts.isMountPoint(target)) return { hostPath: target };
      if (imageRef === undefined) throw new Error("its image was not pulled");
      if (!(await mountsImages(runtime))) {
        await this.#mount({ paths, name }, imageRef, target);
        return { hostPath: target };
      }
      const before = (await readImageRecord(paths, name))?.imageIDs ?? [];
      await writeImageRecord(paths, name, { imageIDs: [...new Set([...before, imageRef])] });
      return { image: imageRef };
    } catch (error) {
      const message = `failed to mount image volume ${JSON.stringify(name)}: ${rpcErrorText(error)}`;
      throw new PodError("CreateContainerError", message, error);
    }
  }

  async #mount({ paths, name }: OfPod, id: string, target: string): Promise<void> {
    const { runtime, mounts, views } = this.#ports;
    const [{ image }, snapshotter] = await Promise.all([
      runtime.imageStatus({ image: { image: id } }),
      snapshotterOf(runtime),
    ]);
    const names = image ? [...image.repoTags, ...image.repoDigests] : [];
    await writeImageRecord(paths, name, { imageIDs: [id], snapshotter });
    const layers = await views.open(keyOf(paths, name), { id, names }, snapshotter);
    await mkdir(target, { recursive: true, mode: 0o750 });
    try {
      for (const { type, source, options } of layers) {
        if (type === "bind") await mounts.mount({ source, target, options: ["ro"] });
        else await mounts.mount({ type, source, target, options: [...new Set([...options, "ro"])] });
      }
    } catch (error) {
      await mounts.unmountBelow(target);
      throw error;
    }
  }

  async #tearDown(paths: PodPaths): Promise<void> {
    const { mounts, views } = this.#ports;
    for (const [name, { snapshotter }] of await imageRecords(paths)) {
      if (snapshotter !== undefined) {
        await mounts.unmountBelow(join(paths.pod, "volume-subpaths", name));
        await mounts.unmountBelow(paths.volume(IMAGE_PLUGIN, name));
        await views.remove(keyOf(paths, name), snapshotter);
      }
      await removeImageRecord(paths, name);
    }
  }
}

function targetOf({ paths, name }: OfPod): string {
  return paths.volume(IMAGE_PLUGIN, name);
}

function keyOf({ uid }: PodPaths, name: string): string {
  return `kybern-volume-${uid}-${name}`;
}

/** Whether the runtime does, and would not take such a mount for an empty one. */
async function mountsImages(runtime: Pick<ContainerRuntime, "version">): Promise<boolean> {
  const { runtimeName, runtimeVersion } = await runtime.version({});
  if (runtimeName !== "containerd") return true;
  const [major = 0, minor = 0] = runtimeVersion.replace(/^v/, "").split(".").map(Number);
  const [since, sinceMinor] = CONTAINERD_SINCE;
  return major > since || (major === since && minor >= sinceMinor);
}

/** The one that images are unpacked by, as the runtime is configured. What containerd 2 tells of that leaves it out. */
async function snapshotterOf(runtime: Pick<ContainerRuntime, "status" | "imageFsInfo">): Promise<string> {
  const { info } = await runtime.status({ verbose: true });
  const config = JSON.parse(info.get("config") ?? "{}") as { containerd?: { snapshotter?: string } };
  if (config.containerd?.snapshotter) return config.containerd.snapshotter;
  const { imageFilesystems } = await runtime.imageFsInfo({});
  const plugin = imageFilesystems[0]?.fsId?.mountpoint.split("/").at(-1) ?? "";
  return plugin.startsWith(SNAPSHOTTER_PLUGIN)
    ? plugin.slice(SNAPSHOTTER_PLUGIN.length)
    : DEFAULT_SNAPSHOTTER;
}
