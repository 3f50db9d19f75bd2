import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { ImageViews } from "../../host/containerd/image-views.ts";
import type { Mounts } from "../../host/mounts/mounts.ts";
import type { PodObjects } from "../objects/pod-objects.ts";
import type { ImageManager, VolumeManager } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";

/** What `createVolumeManager` of volume-manager.ts takes. */
export interface VolumeManagerOptions {
  /** `root` of KubeletPaths. */
  root: string;
  nodeName: string;
  /** Acts as the node. */
  client: Client;
  /** Of the same user. Those of the node itself, of CSIDrivers and RuntimeClasses are asked for, and started. */
  informers: Informers;
  /** The one that env of containers comes from too. */
  objects: PodObjects;
  /** Pulls what image volumes show. */
  images: ImageManager;
  runtime: Pick<ContainerRuntime, "version" | "status" | "imageStatus" | "imageFsInfo">;
  /** Asked where the runtime is a containerd that does not mount images itself. */
  imageViews: ImageViews;
  events: EventRecorder;
  clock: Clock;
  random: Random;
  /** By default the system's programs. */
  mounts?: Mounts;
  /**
   * Local volumes of this provisioner (annotation pv.kubernetes.io/provisioned-by) inside `directory` are made when they
   * are first mounted.
   */
  localStorage?: { provisioner: string; directory: string };
  /** What a pod that runs should have of its volumes could not be brought about; it is tried again. */
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface KubeletVolumes extends VolumeManager {
  /** Begins to listen for CSI drivers. Volumes can be set up at once; those of drivers wait for them. */
  start(): Promise<void>;
  /** Ceases to keep volumes up to date. What is mounted stays. */
  stop(): Promise<void>;
}

/** Implemented in volume-manager.ts. */
export type CreateVolumeManager = (options: VolumeManagerOptions) => KubeletVolumes;
