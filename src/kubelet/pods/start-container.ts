/**
 * Starts one container:
 *
 *   image → environment, mounts → create → start → postStart hook
 *
 * Throws PodError, whose reason is what the container then waits for.
 */
import { mkdir, rm, symlink } from "node:fs/promises";
import { posix } from "node:path";
import { ConfigMap } from "../../api/core/config-map.ts";
import { Secret } from "../../api/core/secret.ts";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { ImageError, PodError, type PodVolumes } from "../ports.ts";
import type { PodSandboxConfig } from "../runtime/cri/shared.ts";
import { containerConfig, containerLogPath } from "./config/container-config.ts";
import { containerEnvironment, environmentObjects } from "./config/environment.ts";
import { checkRunAsNonRoot, type ImageUser, needsImageUser } from "./config/security-context.ts";
import { serviceEnvironment } from "./config/service-environment.ts";
import { readEnvFiles } from "./env-files.ts";
import { runHook } from "./lifecycle-hook.ts";
import { ownMounts } from "./own-mounts.ts";
import type { PodContext } from "./pod-context.ts";
import { recordOfContainer } from "./pod-events.ts";
import { podLogDirectory, uidOf } from "./pod-name.ts";
import type { ContainerStart } from "./pod-plan.ts";
import { withUsersOf } from "./user-namespaces.ts";

export interface StartPlace {
  pod: Pod;
  sandboxID: string;
  sandboxConfig: Sent<typeof PodSandboxConfig>;
  podIPs: readonly string[];
  /** Resolves when they are mounted. */
  volumes: Promise<PodVolumes>;
  /** The container whose processes an ephemeral one sees. */
  target?: { containerID: string };
  signal: AbortSignal;
  /** Called when it runs and its hook begins: until that is done, nobody is told that the container runs. */
  hooked(containerID: string): void;
  /** Called when it runs, and its hook, where it has one, is done; resolves when it is known what it became. */
  started(containerID: string): Promise<void>;
}

/** Where a hook failed, the container has to be stopped: `containerID` is of one that runs. */
export class PostStartError extends PodError {
  readonly containerID: string;
  constructor(containerID: string, message: string) {
    super("PostStartHookError", message);
    this.containerID = containerID;
  }
}

export async function startContainer(
  context: PodContext,
  start: ContainerStart,
  place: StartPlace,
): Promise<void> {
  const { pod, sandboxConfig, signal } = place;
  const { container } = start;
  const ensured = context.images.ensure({
    pod,
    image: container.image ?? "",
    pullPolicy: container.imagePullPolicy ?? "IfNotPresent",
    container,
    sandboxConfig,
  });
  const pulled = place.volumes
    .then((volumes) => volumes.pullImages(container))
    .catch((error: unknown) => {
      if (error instanceof ImageError) {
        recordOfContainer(context, pod, container, "Warning", "Failed", `Error: ${error.reason}`);
      }
      throw error;
    });
  const [{ imageRef }, volumes] = await unlessAborted(Promise.all([ensured, place.volumes, pulled]), signal);
  const config = await prepared(context, start, place, imageRef, volumes).catch((error: unknown) => {
    const failure = asPodError(error, "CreateContainerConfigError");
    recordOfContainer(context, pod, container, "Warning", "Failed", `Error: ${failure.message}`);
    throw failure;
  });
  signal.throwIfAborted();
  const say = (type: "Normal" | "Warning", reason: string, message: string): void =>
    recordOfContainer(context, pod, container, type, reason, message);
  const { containerId } = await context.turns
    .run("create", () =>
      context.runtime.createContainer({ podSandboxId: place.sandboxID, config, sandboxConfig }),
    )
    .catch((error: unknown) => {
      say("Warning", "Failed", `Error: ${described(error)}`);
      throw new PodError("CreateContainerError", described(error), error);
    });
  say("Normal", "Created", "Container created");
  try {
    await Promise.all([
      context.turns.run("start", () => context.runtime.startContainer({ containerId })),
      linkLog(context, pod, start, containerId),
    ]);
  } catch (error) {
    say("Warning", "Failed", `Error: ${described(error)}`);
    throw new PodError("RunContainerError", described(error), error);
  }
  say("Normal", "Started", "Container started");
  if (container.lifecycle?.postStart) place.hooked(containerId);
  await afterStart(context, pod, container, containerId, place.podIPs);
  await place.started(containerId);
}

async function afterStart(
  context: PodContext,
  pod: Pod,
  container: Container,
  containerID: string,
  podIPs: readonly string[],
): Promise<void> {
  const hook = container.lifecycle?.postStart;
  if (!hook) return;
  try {
    await runHook(context, { container, containerID, podIP: podIPs[0] ?? "" }, hook);
  } catch (error) {
    // What the hook said may be secret: events are for all who may see the pod.
    recordOfContainer(context, pod, container, "Warning", "FailedPostStartHook", "PostStartHook failed");
    throw new PostStartError(containerID, described(error));
  }
}

/** Reads what the container needs from the API, and gives it its files. */
async function prepared(
  context: PodContext,
  { container, restartCount }: ContainerStart,
  { pod, sandboxConfig, podIPs, target }: StartPlace,
  imageRef: string,
  volumes: PodVolumes,
) {
  const image = needsImageUser(pod, container) ? await imageUser(context, imageRef) : undefined;
  checkRunAsNonRoot(pod, container, image);
  const variables = environmentOf(context, pod, container, podIPs, volumes);
  const [environment, own, mounted] = await Promise.all([
    variables,
    ownMounts(context, pod, container, podIPs),
    variables.then((values) => volumes.mountsOf(container, textOf(values))),
    mkdir(posix.join(podLogDirectory(context.paths.podLogs, pod), container.name), { recursive: true }),
  ]);
  const config = containerConfig(pod, container, {
    restartCount,
    imageRef,
    environment,
    mounts: [...mounted, ...own],
    devices: volumes.devicesOf(container),
    fsGroups: volumes.fsGroups,
    machine: context.settings.resources,
    security: context.settings,
    ...(target ? { target } : {}),
  });
  return withUsersOf(sandboxConfig, config);
}

/** What subPathExprs are expanded by. */
function textOf(values: ReadonlyMap<string, Buffer>): Map<string, string> {
  return new Map([...values].map(([name, value]) => [name, value.toString()]));
}

async function environmentOf(
  context: PodContext,
  pod: Pod,
  container: Container,
  podIPs: readonly string[],
  volumes: PodVolumes,
): Promise<Map<string, Buffer>> {
  const { namespace = "" } = pod.metadata;
  const { configMaps, secrets } = environmentObjects(container);
  const read = async <T>(names: Set<string>, of: (name: string) => Promise<T>): Promise<Map<string, T>> =>
    new Map(await Promise.all([...names].map(async (name) => [name, await of(name)] as const)));
  const uid = uidOf(pod);
  const [maps, hidden, fileKey] = await Promise.all([
    read(configMaps, (name) => context.objects.get(uid, ConfigMap, namespace, name)),
    read(secrets, (name) => context.objects.get(uid, Secret, namespace, name)),
    readEnvFiles(container, volumes),
  ]);
  return containerEnvironment(pod, container, {
    services: serviceEnvironment(context.services(), namespace, pod.spec?.enableServiceLinks !== false),
    allocatable: context.allocatable(),
    configMap: (name) => maps.get(name),
    secret: (name) => hidden.get(name),
    fileKey,
    hostIPs: context.hostIPs(),
    podIPs,
  });
}

async function imageUser({ runtime }: PodContext, image: string): Promise<ImageUser | undefined> {
  const status = (await runtime.imageStatus({ image: { image } })).image;
  if (!status) return undefined;
  return status.uid
    ? { uid: status.uid.value, username: "" }
    : status.username === ""
      ? { uid: 0, username: "" }
      : { username: status.username };
}

/** For log collectors that know a container by its name alone. */
async function linkLog(
  { paths }: PodContext,
  pod: Pod,
  { container, restartCount }: ContainerStart,
  containerID: string,
): Promise<void> {
  const path = containerLogLink(paths.containerLogs, pod, container.name, containerID);
  const log = posix.join(podLogDirectory(paths.podLogs, pod), containerLogPath(container.name, restartCount));
  await mkdir(paths.containerLogs, { recursive: true });
  await rm(path, { force: true });
  await symlink(log, path);
}

export function containerLogLink(folder: string, { metadata }: Pod, container: string, id: string): string {
  return posix.join(folder, `${metadata.name}_${metadata.namespace}_${container}-${id}.log`);
}

function asPodError(error: unknown, reason: string): PodError {
  return error instanceof PodError ? error : new PodError(reason, described(error), error);
}

function described(error: unknown): string {
  return error instanceof Error && error.name === "GrpcError" ? error.message : rpcErrorText(error);
}

/** What takes long, such as pulling an image, is not waited for when the pod ends. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // What becomes of it is of no interest then.
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
