/**
 * What the parts of the kubelet are to each other. Each is implemented in the folder that its comment names, started in
 * kubelet.ts, and knows the others by these interfaces alone.
 */
import type { Container, ContainerImage, Pod } from "../api/schema/core.v1.generated.ts";
import type { Sent } from "../host/grpc/messages.ts";
import type { Device } from "./runtime/cri/containers.ts";
import type { Mount, PodSandboxConfig } from "./runtime/cri/shared.ts";

/** Where the kubelet keeps things. Directories are made when first needed, readable by root alone. */
export interface KubeletPaths {
  /** Pods' volumes and state: upstream's /var/lib/kubelet, with the same layout (`pods/<uid>/volumes/…`). */
  root: string;
  /** Containers' logs, as `<namespace>_<pod>_<uid>/<container>/<restart>.log`: upstream's /var/log/pods. */
  podLogs: string;
  /** Symbolic links to the newest log of each container: upstream's /var/log/containers. */
  containerLogs: string;
  /** Manifests of static pods; undefined where there are none. */
  staticPods?: string;
}

/** Why a pod cannot go on now. `reason` is what its container waits for, or that of its event; `message` is told to users. */
export class PodError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "PodError";
    this.reason = reason;
  }
}

/** An image is not to be had. What its containers' events say is the reason; the message was told when it was asked for. */
export class ImageError extends PodError {
  constructor(reason: string, message: string, cause?: unknown) {
    super(reason, message, cause);
    this.name = "ImageError";
  }
}

/** volumes/: what pods mount. */
export interface VolumeManager {
  /**
   * Mounts all volumes of the pod that its containers use; again for the same pod it brings their contents up to date.
   * Throws PodError (FailedMount, FailedAttachVolume …); what was mounted stays for the next try. Nothing that it needs
   * is asked for by polling: it resolves or throws by what informers know within a short time.
   */
  setUp(pod: Pod): Promise<PodVolumes>;
  /** Unmounts everything of the pod and removes its directory. Any number of times. */
  tearDown(podUID: string): Promise<void>;
  /** The pods that have something mounted or on disk: those of a former life of the kubelet too. */
  podUIDs(): Promise<readonly string[]>;
  /** For nodes' status.volumesInUse and volumesAttached. */
  inUse(): readonly string[];
}

export interface PodVolumes {
  /**
   * Has the images pulled that the container's image volumes show, before `mountsOf`. It may take as long as a pull, and
   * harms nothing where nobody waits for it any more. Throws ImageError.
   */
  pullImages(container: Container): Promise<void>;
  /**
   * The mounts of the container, subPaths resolved safely; `environment` is what subPathExprs are expanded by. Throws
   * PodError (CreateContainerConfigError …).
   */
  mountsOf(container: Container, environment?: ReadonlyMap<string, string>): Promise<Sent<typeof Mount>[]>;
  devicesOf(container: Container): Sent<typeof Device>[];
  /** Where the node has the volume; undefined where none of the pod's containers mounts one of the name. */
  directoryOf(volume: string): string | undefined;
  /** The group that owns the volumes, among the container's supplemental groups. */
  readonly fsGroups: readonly number[];
}

/** images/: what containers run. */
export interface ImageManager {
  /**
   * The image as the runtime names it, pulled where the policy wants it. Records the events Pulling, Pulled, Failed and
   * BackOff. Throws ImageError: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName, ErrImageInspect …
   */
  ensure(request: ImageRequest): Promise<{ imageRef: string; imageID: string }>;
  /** For nodes' status: the largest first, at most as many as upstream tells. */
  images(): Promise<ContainerImage[]>;
  /** A container began or ceased to use the image: those that nobody uses are removed where the disk gets full. */
  collectGarbage(): Promise<void>;
}

export interface ImageRequest {
  pod: Pod;
  /** Of a container of any list of the pod, or of an image volume. */
  image: string;
  pullPolicy: string;
  /** The container for the event's field path; undefined for an image volume. */
  container?: Container;
  sandboxConfig: Sent<typeof PodSandboxConfig>;
}

/** resources/: the control groups that hold pods. */
export interface PodCgroups {
  /** Makes the pod's group with its limits, in the group of its QoS class. Returns the parent for its sandbox. */
  ensure(pod: Pod): Promise<string>;
  /** Kills what is left in it, and removes it. Any number of times. */
  remove(podUID: string): Promise<void>;
  /** Pods that have a group, of a former life of the kubelet too. */
  podUIDs(): Promise<readonly string[]>;
}

/** pods/: the pods of this node, as the server, the eviction and the statistics see them. */
export interface RunningPods {
  /** With the status as the kubelet knows it, static pods included. */
  list(): readonly Pod[];
  get(namespace: string, name: string): Pod | undefined;
  byUID(uid: string): Pod | undefined;
  /** The runtime's id of a container that is running or has run; `previous`: of the one before. */
  containerID(podUID: string, container: string, previous?: boolean): Promise<string | undefined>;
  /** The runtime's id of the pod's sandbox. */
  sandboxID(podUID: string): Promise<string | undefined>;
  /** Ends a pod for good: its phase becomes Failed with this reason and message, and a DisruptionTarget condition. */
  evict(podUID: string, eviction: PodEviction): Promise<void>;
  /** Resolves when the API was told of the pod's status as the kubelet knows it, or cannot be. */
  told(podUID: string): Promise<void>;
}

export interface PodEviction {
  reason: string;
  message: string;
  /** The reason of the DisruptionTarget condition; absent: no condition. */
  disruption?: string;
  /** Of the condition; absent: as that of the pod. */
  disruptionMessage?: string;
  graceSeconds: number;
}
