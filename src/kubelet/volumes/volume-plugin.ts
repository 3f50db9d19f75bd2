/** What a kind of volume is to the volume manager. */

import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { Pod, Volume } from "../../api/schema/core.v1.generated.ts";
import type { PodPaths } from "./pod-paths.ts";

/** One volume of one pod. */
export interface VolumeRequest {
  pod: Pod;
  paths: PodPaths;
  volume: Volume;
  /** What the volume's claim is bound to. */
  persistent?: PersistentSource;
}

export interface PersistentSource {
  claim: PersistentVolumeClaim;
  volume: PersistentVolume;
}

/** A volume that is there. */
export interface MountedVolume {
  /** What containers mount; "" for what is there when a container starts, and for raw devices. */
  hostPath: string;
  /** Whatever the container's mount says. */
  readOnly: boolean;
  /** Of volumeMode Block. */
  device?: string;
  /** What an image volume shows. */
  image?: { reference: string; pullPolicy: string };
  /** The group of its annotation, which containers get. */
  group?: number;
  /** The PersistentVolume. */
  source?: string;
  /** For nodes' status.volumesInUse. */
  uniqueName?: string;
  /** When it is to be set up again, in milliseconds since 1970. */
  renewAt?: number;
}

export interface VolumePlugin {
  /** Of its directory: `kubernetes.io~empty-dir`. */
  readonly directory: string;
  /** Whether it is the one for the volume, or for what the claim is bound to. */
  owns(request: VolumeRequest): boolean;
  /**
   * Makes the volume, or finds it made by a former life of the kubelet. Called again for the same pod where `keepsUp`.
   * What it throws is told to users after `MountVolume.SetUp failed for volume "x" : `.
   */
  setUp(request: VolumeRequest): Promise<MountedVolume>;
  /** Whether its contents follow what they are made of: then it is set up again and again while the pod lives. */
  readonly keepsUp?: boolean;
  /** The pod is gone: undoes what is more than files and mounts in the pod's directory. Any number of times. */
  tearDown?(paths: PodPaths): Promise<void>;
}

/** What users are told is the message. */
export class VolumeError extends Error {
  /** `MapVolume.SetUp` where the volume was to be a device; `MountVolume.SetUp` by default. */
  readonly operation: string;
  readonly reason: string;
  constructor(message: string, options: { operation?: string; reason?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "VolumeError";
    this.operation = options.operation ?? "MountVolume.SetUp";
    this.reason = options.reason ?? "FailedMount";
  }
}
