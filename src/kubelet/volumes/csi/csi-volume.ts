/** What a CSI volume of a pod is, from its inline source or its PersistentVolume. Pure, but for hashes. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Pod, SecretReference } from "../../../api/schema/core.v1.generated.ts";
import type { CSIDriver } from "../../../api/storage/csi-driver.ts";
import { fsGroupOf } from "../pod-volume-use.ts";
import { VolumeError, type VolumeRequest } from "../volume-plugin.ts";
import { AccessMode, NodeCapability } from "./messages.ts";

export interface CSIVolume {
  driver: string;
  handle: string;
  /** The PersistentVolume, or the volume in the pod. */
  name: string;
  isEphemeral: boolean;
  isBlock: boolean;
  readOnly: boolean;
  fsType: string;
  accessModes: readonly string[];
  mountOptions: readonly string[];
  attributes: Readonly<Record<string, string>>;
  publishSecret?: SecretReference;
  stageSecret?: SecretReference;
  expandSecret?: SecretReference;
}

export function csiVolumeOf({ pod, volume, persistent }: VolumeRequest): CSIVolume {
  const { namespace, uid } = pod.metadata;
  if (!persistent) {
    const { driver = "", fsType = "", readOnly = false, volumeAttributes = {} } = volume.csi ?? {};
    const secret = volume.csi?.nodePublishSecretRef?.name;
    return {
      driver,
      handle: `csi-${createHash("sha256").update(`${uid}${volume.name}`).digest("hex")}`,
      name: volume.name,
      isEphemeral: true,
      isBlock: false,
      readOnly,
      fsType,
      accessModes: ["ReadWriteOnce"],
      mountOptions: [],
      attributes: volumeAttributes,
      publishSecret: secret ? { name: secret, namespace } : undefined,
    };
  }
  const { metadata, spec } = persistent.volume;
  const { csi, accessModes = [], mountOptions = [], volumeMode } = spec;
  return {
    driver: csi?.driver ?? "",
    handle: csi?.volumeHandle ?? "",
    name: metadata.name ?? "",
    isEphemeral: false,
    isBlock: volumeMode === "Block",
    readOnly: (volume.persistentVolumeClaim?.readOnly ?? false) || (csi?.readOnly ?? false),
    fsType: csi?.fsType ?? "",
    accessModes,
    mountOptions,
    attributes: csi?.volumeAttributes ?? {},
    publishSecret: csi?.nodePublishSecretRef,
    stageSecret: csi?.nodeStageSecretRef,
    expandSecret: csi?.nodeExpandSecretRef,
  };
}

/** Throws VolumeError where the driver does not do what the volume is. */
export function checkLifecycle({ driver, isEphemeral }: CSIVolume, known: CSIDriver | undefined): void {
  const mode = isEphemeral ? "Ephemeral" : "Persistent";
  if (!known) {
    if (!isEphemeral) return;
    throw new VolumeError(`volume mode "${mode}" not supported by driver ${driver} (no CSIDriver object)`);
  }
  const modes = known.spec.volumeLifecycleModes ?? ["Persistent"];
  if (modes.includes(mode)) return;
  const only = modes.map((one) => JSON.stringify(one)).join(" ");
  throw new VolumeError(`volume mode "${mode}" not supported by driver ${driver} (only supports [${only}])`);
}

export function accessModeOf({ accessModes }: CSIVolume, capabilities: ReadonlySet<number>): number {
  const knowsMore = capabilities.has(NodeCapability.SINGLE_NODE_MULTI_WRITER);
  switch (accessModes[0]) {
    case "ReadOnlyMany":
      return AccessMode.MULTI_NODE_READER_ONLY;
    case "ReadWriteMany":
      return AccessMode.MULTI_NODE_MULTI_WRITER;
    case "ReadWriteOncePod":
      return knowsMore ? AccessMode.SINGLE_NODE_SINGLE_WRITER : AccessMode.SINGLE_NODE_WRITER;
    default:
      return knowsMore ? AccessMode.SINGLE_NODE_MULTI_WRITER : AccessMode.SINGLE_NODE_WRITER;
  }
}

/** The group that the kubelet gives the volume to; undefined where it must leave it alone. */
export function groupToGive(volume: CSIVolume, pod: Pod, known: CSIDriver | undefined): number | undefined {
  const group = fsGroupOf(pod);
  if (group === undefined || volume.isBlock || volume.readOnly) return undefined;
  const policy = known?.spec.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
  if (policy === "File") return group;
  const isOnce = volume.accessModes.some((mode) => mode === "ReadWriteOnce" || mode === "ReadWriteOncePod");
  return policy === "ReadWriteOnceWithFSType" && isOnce && volume.fsType !== "" && !volume.isEphemeral
    ? group
    : undefined;
}

/** What drivers are told of the pod, where they ask for it. */
export function podInfo({ metadata, spec }: Pod, isEphemeral: boolean): [string, string][] {
  return [
    ["csi.storage.k8s.io/pod.name", metadata.name ?? ""],
    ["csi.storage.k8s.io/pod.namespace", metadata.namespace ?? ""],
    ["csi.storage.k8s.io/pod.uid", metadata.uid ?? ""],
    ["csi.storage.k8s.io/serviceAccount.name", spec?.serviceAccountName ?? ""],
    ["csi.storage.k8s.io/ephemeral", String(isEphemeral)],
  ];
}

/** As nodes' status names it. */
export function uniqueNameOf({ driver, handle }: CSIVolume): string {
  return `kubernetes.io/csi/${driver}^${handle}`;
}

export function attachmentNameOf({ driver, handle }: CSIVolume, nodeName: string): string {
  return `csi-${createHash("sha256").update(`${handle}${driver}${nodeName}`).digest("hex")}`;
}

/** Where the volume is prepared for all pods of the node. */
export function stagingPath(
  root: string,
  volume: Pick<CSIVolume, "driver" | "handle" | "name" | "isBlock">,
): string {
  const plugin = join(root, "plugins/kubernetes.io/csi");
  if (volume.isBlock) return join(plugin, "volumeDevices/staging", volume.name);
  const hash = createHash("sha256").update(volume.handle).digest("hex");
  return join(plugin, volume.driver, hash, "globalmount");
}

export function blockPath(root: string, name: string, podUID: string): string {
  return join(root, "plugins/kubernetes.io/csi/volumeDevices/publish", name, podUID);
}
