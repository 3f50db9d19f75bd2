/** Images: pulled when containers need them, told in the node's status, removed when the disk gets full. */
import type { ContainerImage, ObjectReference, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { formatDuration } from "../../machinery/time/duration.ts";
import type { PodObjects } from "../objects/pod-objects.ts";
import { ImageError, type ImageManager, type ImageRequest } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { Image } from "../runtime/cri/images.ts";
import { ImageCollector } from "./image-collector.ts";
import type { GarbageSettings } from "./image-garbage.ts";
import { withDefaultTag } from "./image-reference.ts";
import type { KeyringEntry } from "./keyring.ts";
import { Places } from "./places.ts";
import { type PodCredentials, podCredentials } from "./pod-credentials.ts";
import { PullBackoff } from "./pull-backoff.ts";
import { PullRate } from "./pull-rate.ts";
import { PullRecords, type VerificationPolicy } from "./pull-records.ts";

export interface ImageManagerOptions {
  runtime: Pick<
    ContainerRuntime,
    "imageStatus" | "pullImage" | "listImages" | "removeImage" | "imageFsInfo" | "listContainers"
  >;
  objects: PodObjects;
  /** In the kubelet's name. */
  events: EventRecorder;
  /** The node, which the events of garbage collection are about. */
  node: ObjectReference;
  clock: Clock;
  /** Where it is remembered with whose credentials images were pulled: `<root>/image_manager`. */
  directory: string;
  settings: ImageSettings;
  /** The runtime's ids of images that are in use without a container that runs them: by volumes. */
  imagesOfVolumes(): Promise<readonly string[]>;
  /** Of the file system that holds a path; that of node:fs by default. */
  diskOf?(path: string): Promise<{ capacity: number; available: number }>;
}

export interface ImageSettings {
  /** 1: one after the other, as upstream by default. */
  maxParallelPulls: number;
  /** How many may be asked of registries; absent: any number. */
  rate?: { perSecond: number; burst: number };
  /** How many the node's status tells of at most: upstream's 50 by default. */
  mostInStatus?: number;
  garbage: GarbageSettings;
  verification: VerificationPolicy;
  verificationAllowlist?: readonly string[];
  /** Credentials of the node's own, for all pods. */
  keyring?: readonly KeyringEntry[];
}

export interface KubeletImages extends ImageManager {
  /** Removes every image that no container or volume uses, for a node that runs out of disk. */
  removeUnused(): Promise<void>;
}

/** Upstream's figures. */
const MOST_IN_STATUS = 50;
const MOST_NAMES_IN_STATUS = 5;
const NO_LIMIT = { perSecond: 0, burst: 0 };

export function createImageManager(options: ImageManagerOptions): KubeletImages {
  const { runtime, clock, settings } = options;
  const places = new Places(settings.maxParallelPulls);
  const backoff = new PullBackoff();
  const rate = new PullRate({ ...(settings.rate ?? NO_LIMIT), now: () => clock.now() });
  const records = new PullRecords({
    directory: options.directory,
    policy: settings.verification,
    allowlist: settings.verificationAllowlist,
    now: () => clock.now(),
  });
  const garbage = new ImageCollector(options, records);

  const ensure = async (request: ImageRequest): Promise<{ imageRef: string; imageID: string }> => {
    const { pod, pullPolicy } = request;
    const say = speaker(options.events, request);
    const image = nameOf(request, say);
    const credentials = await podCredentials(options, pod, image);
    const secrets = credentials.flatMap(({ secret }) => secret ?? []);
    const there = pullPolicy === "Always" ? undefined : await inspect(runtime, image, request, say);
    if (there && !(await records.mustPull(image, there.id, secrets))) {
      say(
        "Normal",
        "Pulled",
        `Container image ${quoted(request.image)} already present on machine and can be accessed by the pod`,
      );
      return refOf(there);
    }
    if (pullPolicy === "Never") throw neverPull(request, there !== undefined, say);
    const uid = pod.metadata?.uid ?? "";
    const before = backoff.waiting(uid, image, clock.now());
    if (before !== undefined) {
      const message = `Back-off pulling image ${quoted(image)}`;
      say("Normal", "BackOff", message);
      throw new ImageError("ImagePullBackOff", `${message}: ${before}`);
    }
    return pull(request, image, credentials, say);
  };

  const pull = async (
    request: ImageRequest,
    image: string,
    credentials: readonly PodCredentials[],
    say: Speaker,
  ): Promise<{ imageRef: string; imageID: string }> => {
    const uid = request.pod.metadata?.uid ?? "";
    say("Normal", "Pulling", `Pulling image ${quoted(image)}`);
    const asked = clock.now();
    try {
      const pulled = await places.run(async () => {
        const began = clock.now();
        if (!rate.take()) throw new Error("pull QPS exceeded");
        await records.began(image);
        const { imageRef, used } = await pullWith(runtime, request, image, credentials);
        const ms = clock.now() - began;
        const secret = used?.secret;
        await records.succeeded(
          image,
          imageRef,
          secret ? { kubernetesSecrets: [secret] } : { nodePodsAccessible: true },
        );
        return { imageRef, ms };
      });
      const status = await runtime.imageStatus({ image: { image: pulled.imageRef } });
      const size = status.image?.size ?? 0;
      const took = `${durationOf(pulled.ms)} (${durationOf(clock.now() - asked)} including waiting)`;
      say(
        "Normal",
        "Pulled",
        `Successfully pulled image ${quoted(image)} in ${took}. Image size: ${size} bytes.`,
      );
      backoff.succeeded(uid, image, clock.now());
      return status.image ? refOf(status.image) : { imageRef: pulled.imageRef, imageID: pulled.imageRef };
    } catch (error) {
      await records.failed(image);
      say("Warning", "Failed", `Failed to pull image ${quoted(image)}: ${rpcErrorText(error)}`);
      const { reason, message } = pullFailure(image, rpcErrorText(error));
      backoff.failed(uid, image, clock.now(), `${reason}: ${message}`);
      throw new ImageError(reason, message, error);
    }
  };

  return {
    async ensure(request) {
      try {
        return await ensure(request);
      } catch (error) {
        const say = speaker(options.events, request);
        if (request.container && error instanceof ImageError)
          say("Warning", "Failed", `Error: ${error.reason}`);
        throw error;
      }
    },
    async images() {
      const { images } = await runtime.listImages({});
      return statusOf(images, settings.mostInStatus ?? MOST_IN_STATUS);
    },
    collectGarbage: () => garbage.collect(),
    removeUnused: () => garbage.removeUnused(),
  };
}

type Speaker = (type: "Normal" | "Warning", reason: string, message: string) => void;

function speaker(events: EventRecorder, { pod, container }: ImageRequest): Speaker {
  const { namespace, name, uid, resourceVersion } = pod.metadata ?? {};
  const regarding: ObjectReference = { kind: "Pod", apiVersion: "v1", namespace, name, uid, resourceVersion };
  if (container) regarding.fieldPath = `spec.${listOf(pod, container.name)}{${container.name}}`;
  return (type, reason, message) => events.record(regarding, type, reason, message);
}

function listOf({ spec }: Pod, container: string): string {
  if (spec?.initContainers?.some(({ name }) => name === container)) return "initContainers";
  return spec?.ephemeralContainers?.some(({ name }) => name === container)
    ? "ephemeralContainers"
    : "containers";
}

function nameOf({ image }: ImageRequest, say: Speaker): string {
  try {
    return withDefaultTag(image);
  } catch (error) {
    const message = `Failed to apply default image tag ${quoted(image)}: ${(error as Error).message}`;
    say("Warning", "InspectFailed", message);
    throw new ImageError("InvalidImageName", message);
  }
}

async function inspect(
  runtime: ImageManagerOptions["runtime"],
  image: string,
  request: ImageRequest,
  say: Speaker,
): Promise<Image | undefined> {
  try {
    return (await runtime.imageStatus({ image: { image } })).image;
  } catch (error) {
    const message = `Failed to inspect image ${quoted(request.image)}: ${rpcErrorText(error)}`;
    say("Warning", "InspectFailed", message);
    throw new ImageError("ImageInspectError", message, error);
  }
}

function neverPull({ image }: ImageRequest, isThere: boolean, say: Speaker): ImageError {
  const message = isThere
    ? `Container image ${quoted(image)} is present with pull policy of Never but does not have the proper auth (image secret) that was used to pull the image`
    : `Container image ${quoted(image)} is not present with pull policy of Never`;
  say("Warning", "ErrImageNeverPull", message);
  return new ImageError("ErrImageNeverPull", message);
}

/** Tries all credentials in turn, or none where there are none. */
async function pullWith(
  runtime: ImageManagerOptions["runtime"],
  { pod, sandboxConfig }: ImageRequest,
  image: string,
  credentials: readonly PodCredentials[],
): Promise<{ imageRef: string; used?: PodCredentials }> {
  const annotations = new Map(Object.entries(pod.metadata?.annotations ?? {}));
  const errors: unknown[] = [];
  for (const used of credentials.length > 0 ? credentials : [undefined]) {
    try {
      const spec = { image, annotations };
      const { imageRef } = await runtime.pullImage(
        { image: spec, auth: used?.credentials, sandboxConfig },
        0,
      );
      return { imageRef, used };
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  throw new Error(`[${[...new Set(errors.map(rpcErrorText))].join(", ")}]`, { cause: errors[0] });
}

/** Runtimes that know why say it by the first word of the message. */
function pullFailure(image: string, text: string): { reason: string; message: string } {
  const known = [
    ["RegistryUnavailable", "the registry is unavailable"],
    ["SignatureValidationFailed", "the signature validation failed"],
  ] as const;
  for (const [reason, why] of known) {
    const at = text.indexOf(`${reason}`);
    if (at !== 0 && !text.includes(`desc = ${reason}`)) continue;
    return {
      reason,
      message: `image pull failed for ${image} because ${why}${text.slice(at + reason.length)}`,
    };
  }
  return { reason: "ErrImagePull", message: text };
}

function refOf({ id, repoDigests }: Image): { imageRef: string; imageID: string } {
  return { imageRef: id, imageID: repoDigests[0] ?? id };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function durationOf(ms: number): string {
  return formatDuration(BigInt(Math.round(ms)) * 1_000_000n);
}

/** The largest first. */
function statusOf(images: readonly Image[], most: number): ContainerImage[] {
  return images
    .toSorted((a, b) => b.size - a.size)
    .slice(0, most)
    .map(({ repoTags, repoDigests, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, MOST_NAMES_IN_STATUS),
      sizeBytes: size,
    }));
}
