/** Volumes of CSI drivers: attached, staged once for the node, and published for each pod. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "../../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../../api/core/persistent-volume-claim.ts";
import { Secret } from "../../../api/core/secret.ts";
import type { AttachedVolume, Pod, SecretReference } from "../../../api/schema/core.v1.generated.ts";
import type { CSIDriver } from "../../../api/storage/csi-driver.ts";
import { VolumeAttachment } from "../../../api/storage/volume-attachment.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Client } from "../../../client/client.ts";
import type { Informer } from "../../../client/informer/informer.ts";
import { GrpcError } from "../../../host/grpc/grpc-client.ts";
import { rpcErrorText } from "../../../host/grpc/status-text.ts";
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import { giveToGroup } from "../ownership.ts";
import type { PodPaths } from "../pod-paths.ts";
import { fsGroupOf } from "../pod-volume-use.ts";
import type { ServiceAccountTokens } from "../service-account-tokens.ts";
import { type MountedVolume, VolumeError, type VolumePlugin, type VolumeRequest } from "../volume-plugin.ts";
import {
  accessModeOf,
  attachmentNameOf,
  blockPath,
  type CSIVolume,
  checkLifecycle,
  csiVolumeOf,
  groupToGive,
  podInfo,
  stagingPath,
  uniqueNameOf,
} from "./csi-volume.ts";
import type { DriverRegistry, RegisteredDriver } from "./driver-registry.ts";
import { NodeCapability } from "./messages.ts";
import {
  CSI_DIRECTORY,
  forgetPublished,
  isStagedFor,
  makeParent,
  publishedOf,
  rememberPublished,
} from "./published-volumes.ts";

export interface CSIPorts {
  root: string;
  nodeName: string;
  client: Client;
  clock: Clock;
  registry: Pick<DriverRegistry, "get">;
  tokens: ServiceAccountTokens;
  /** The node itself, whose status tells what is attached to it. */
  nodes: Informer<Node>;
  drivers: Informer<CSIDriver>;
}

/** Milliseconds that an attachment is waited for before the pod is told, and tried again. */
const ATTACH_TIMEOUT = 10_000;
/**
 * Milliseconds between two looks at a volume that is there: whether it has grown (nodes may get claims, and not watch
 * them), and where its driver wants to be asked again.
 */
const LOOK_AGAIN = 60_000;
const NOT_FOUND = 5;

export function csiPlugin(ports: CSIPorts): VolumePlugin {
  const volumes = new CSIVolumes(ports);
  return {
    directory: CSI_DIRECTORY,
    owns: ({ volume, persistent }) => (persistent ? persistent.volume.spec : volume)?.csi !== undefined,
    setUp: (request) => volumes.setUp(request),
    tearDown: (paths) => volumes.tearDown(paths),
  };
}

/** What the calls for one volume of one pod have in common. */
interface Use {
  request: VolumeRequest;
  volume: CSIVolume;
  driver: RegisteredDriver;
  known: CSIDriver | undefined;
  publishContext: ReadonlyMap<string, string>;
  staging: string | undefined;
}

class CSIVolumes {
  private readonly ports: CSIPorts;
  /** By where they are staged: one after the other, so that none unstages what another just staged. */
  private readonly lines = new Map<string, Promise<unknown>>();
  /** The directories of those that were published in this life of the kubelet. */
  private readonly published = new Set<string>();

  constructor(ports: CSIPorts) {
    this.ports = ports;
  }

  async setUp(request: VolumeRequest): Promise<MountedVolume> {
    const volume = csiVolumeOf(request);
    const { registry, drivers, root } = this.ports;
    drivers.start();
    await drivers.synced;
    const known = drivers.lister.get("", volume.driver);
    const driver = registry.get(volume.driver);
    if (!driver) {
      throw new VolumeError(
        `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${volume.driver} not found in the list of registered CSI drivers`,
      );
    }
    checkLifecycle(volume, known);
    const needsAttaching = !volume.isEphemeral && (known?.spec.attachRequired ?? true);
    const publishContext = needsAttaching ? await this.attached(volume) : new Map<string, string>();
    const stages = !volume.isEphemeral && driver.capabilities.has(NodeCapability.STAGE_UNSTAGE_VOLUME);
    const staging = stages ? stagingPath(root, volume) : undefined;
    const use: Use = { request, volume, driver, known, publishContext, staging };
    const target = targetOf(root, use);
    await this.inLine(staging ?? `${request.paths.uid}/${volume.name}`, () => this.show(use, target));
    const mayGrow = !volume.isEphemeral && driver.capabilities.has(NodeCapability.EXPAND_VOLUME);
    const looksAgain = mayGrow || (known?.spec.requiresRepublish ?? false);
    return {
      hostPath: volume.isBlock ? "" : target,
      device: volume.isBlock ? target : undefined,
      readOnly: volume.readOnly,
      uniqueName: needsAttaching ? uniqueNameOf(volume) : undefined,
      renewAt: looksAgain ? this.ports.clock.now() + LOOK_AGAIN : undefined,
    };
  }

  /** For the first time, or once more. */
  private async show(use: Use, target: string): Promise<void> {
    const { request, volume, driver, known, staging } = use;
    const directory = request.paths.volume(CSI_DIRECTORY, volume.name);
    const isNew = !this.published.has(directory);
    if (isNew) {
      await rememberPublished(directory, {
        driverName: volume.driver,
        volumeHandle: volume.handle,
        specVolID: volume.name,
        volumeLifecycleMode: volume.isEphemeral ? "Ephemeral" : "Persistent",
        nodeName: this.ports.nodeName,
        targetPath: target,
        stagingPath: staging,
        isBlock: volume.isBlock,
      });
      if (staging !== undefined) await this.stage(use, staging);
    }
    if (isNew || known?.spec.requiresRepublish) await this.publish(use, target);
    await this.expand(use, target);
    const group = groupToGive(volume, request.pod, known);
    if (isNew && group !== undefined && !driver.capabilities.has(NodeCapability.VOLUME_MOUNT_GROUP)) {
      const policy = request.pod.spec?.securityContext?.fsGroupChangePolicy;
      await giveToGroup(target, { group, policy });
    }
    this.published.add(directory);
  }

  async tearDown({ pod }: PodPaths): Promise<void> {
    for (const [directory, published] of await publishedOf(pod)) {
      const { driverName, volumeHandle, targetPath, stagingPath: staging, isBlock } = published;
      const driver = this.ports.registry.get(driverName);
      if (!driver) {
        throw new VolumeError(
          `kubernetes.io/csi: Unmounter.TearDownAt failed to get CSI client: driver name ${driverName} not found in the list of registered CSI drivers`,
        );
      }
      const { client } = driver;
      await this.inLine(staging ?? directory, async () => {
        await call("NodeUnpublishVolume", () =>
          client.nodeUnpublishVolume({ volumeId: volumeHandle, targetPath }),
        ).catch(unlessGone);
        await forgetPublished(directory);
        this.published.delete(directory);
        if (isBlock) await rm(targetPath, { force: true });
        if (staging === undefined || (await isStagedFor(this.ports.root, staging))) return;
        await call("NodeUnstageVolume", () =>
          client.nodeUnstageVolume({ volumeId: volumeHandle, stagingTargetPath: staging }),
        ).catch(unlessGone);
      });
    }
  }

  /** What the attacher said of the attachment, when there is one. */
  private async attached(volume: CSIVolume): Promise<ReadonlyMap<string, string>> {
    const { client, nodeName, nodes, clock } = this.ports;
    const unique = uniqueNameOf(volume);
    const isThere = (): boolean => {
      const listed = nodes.lister.get("", nodeName)?.status?.volumesAttached as AttachedVolume[] | undefined;
      return listed?.some(({ name }) => name === unique) ?? false;
    };
    const late = Promise.withResolvers<void>();
    const cancel = clock.setTimer(ATTACH_TIMEOUT, () => late.resolve());
    await Promise.race([nodes.until(isThere), late.promise]).finally(cancel);
    const name = attachmentNameOf(volume, nodeName);
    const attachment = await client
      .resource(VolumeAttachment)
      .get(name)
      .catch((error: Error) => {
        throw notAttached(`could not get volume attachment ${name}: ${error.message}`);
      });
    const { attached, attachError, attachmentMetadata = {} } = attachment.status ?? { attached: false };
    if (attachError?.message) throw notAttached(attachError.message);
    if (!attached || !isThere()) throw notAttached("volume is not attached according to node status");
    return new Map(Object.entries(attachmentMetadata));
  }

  private async stage(use: Use, staging: string): Promise<void> {
    const { volume, driver, publishContext } = use;
    await mkdir(staging, { recursive: true, mode: 0o750 });
    const secrets = await this.secrets(volume.stageSecret);
    await call("NodeStageVolume", () =>
      driver.client.nodeStageVolume({
        volumeId: volume.handle,
        publishContext,
        stagingTargetPath: staging,
        volumeCapability: capabilityOf(use),
        secrets,
        volumeContext: Object.entries(volume.attributes),
      }),
    );
  }

  private async publish(use: Use, target: string): Promise<void> {
    const { request, volume, driver, known, publishContext, staging } = use;
    await makeParent(target);
    const info = known?.spec.podInfoOnMount ? podInfo(request.pod, volume.isEphemeral) : [];
    const tokens = await this.tokensFor(request.pod, known);
    const inSecrets = known?.spec.serviceAccountTokenInSecrets ?? false;
    const secrets = await this.secrets(volume.publishSecret);
    await call("NodePublishVolume", () =>
      driver.client.nodePublishVolume({
        volumeId: volume.handle,
        publishContext,
        stagingTargetPath: staging,
        targetPath: target,
        volumeCapability: capabilityOf(use),
        readonly: volume.readOnly,
        secrets: inSecrets ? [...secrets, ...tokens] : secrets,
        volumeContext: [...Object.entries(volume.attributes), ...info, ...(inSecrets ? [] : tokens)],
      }),
    );
  }

  /** Makes the file system as large as the volume has become. */
  private async expand(use: Use, target: string): Promise<void> {
    const { volume, driver, staging, request } = use;
    const { persistent } = request;
    const wanted = persistent?.volume.spec.capacity?.storage;
    const known = persistent?.claim.status?.capacity?.storage;
    if (!persistent || wanted === undefined || known === undefined) return;
    if (Quantity.parse(wanted).compare(Quantity.parse(known)) <= 0) return;
    if (!driver.capabilities.has(NodeCapability.EXPAND_VOLUME)) return;
    const secrets = await this.secrets(volume.expandSecret);
    await call("NodeExpandVolume", () =>
      driver.client.nodeExpandVolume({
        volumeId: volume.handle,
        volumePath: target,
        capacityRange: { requiredBytes: Quantity.parse(wanted).value() },
        stagingTargetPath: staging,
        volumeCapability: capabilityOf(use),
        secrets,
      }),
    );
    const { metadata, status } = persistent.claim;
    const conditions = (status?.conditions ?? []).filter(
      ({ type }) => type !== "FileSystemResizePending" && type !== "Resizing",
    );
    const patch = {
      status: { capacity: { storage: wanted }, conditions: conditions.length > 0 ? conditions : null },
    };
    await this.ports.client
      .resource(PersistentVolumeClaim, metadata.namespace)
      .patch(metadata.name ?? "", patch, { type: "merge", subresource: "status" });
  }

  private async secrets(reference: SecretReference | undefined): Promise<[string, string][]> {
    if (!reference?.name) return [];
    const { data = {} } = await this.ports.client.resource(Secret, reference.namespace).get(reference.name);
    return Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
  }

  /** Of the pod's service account, for the audiences that the driver asks for. */
  private async tokensFor(pod: Pod, known: CSIDriver | undefined): Promise<[string, string][]> {
    const asked = known?.spec.tokenRequests ?? [];
    if (asked.length === 0) return [];
    const tokens: Record<string, { token: string; expirationTimestamp: string }> = Object.create(null);
    for (const { audience, expirationSeconds = 3600 } of asked) {
      const { token, expiresAt } = await this.ports.tokens.get(pod, { audience, expirationSeconds });
      tokens[audience] = {
        token,
        expirationTimestamp: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z"),
      };
    }
    return [["csi.storage.k8s.io/serviceAccount.tokens", JSON.stringify(tokens)]];
  }

  private inLine<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.lines.get(key) ?? Promise.resolve();
    const done = before.then(work, work);
    const settled = done.catch(() => {});
    this.lines.set(key, settled);
    void settled.then(() => {
      if (this.lines.get(key) === settled) this.lines.delete(key);
    });
    return done;
  }
}

function targetOf(root: string, { request, volume }: Use): string {
  const { paths } = request;
  return volume.isBlock
    ? blockPath(root, volume.name, paths.uid)
    : join(paths.volume(CSI_DIRECTORY, volume.name), "mount");
}

function capabilityOf({ request, volume, driver }: Use) {
  const accessMode = { mode: accessModeOf(volume, driver.capabilities) };
  if (volume.isBlock) return { block: {}, accessMode };
  const group = driver.capabilities.has(NodeCapability.VOLUME_MOUNT_GROUP)
    ? fsGroupOf(request.pod)
    : undefined;
  const volumeMountGroup = group === undefined ? "" : String(group);
  return { mount: { fsType: volume.fsType, mountFlags: volume.mountOptions, volumeMountGroup }, accessMode };
}

async function call<T>(name: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw new VolumeError(`${name}: ${rpcErrorText(error)}`, { cause: error });
  }
}

/** A driver that knows the volume no more has nothing to take back. */
function unlessGone(error: VolumeError): void {
  if (!(error.cause instanceof GrpcError) || error.cause.code !== NOT_FOUND) throw error;
}

function notAttached(message: string): VolumeError {
  return new VolumeError(message, { operation: "AttachVolume.Attach", reason: "FailedAttachVolume" });
}
