/** Keeps pods off nodes to which a storage driver can attach no more volumes. */
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pods.ts";
import { classOf } from "../../api/storage/binding/match-volume.ts";
import { claimNameOf } from "../../api/storage/binding/pod-claims.ts";
import { externalProvisioner } from "../../api/storage/binding/storage-classes.ts";
import { CSINode } from "../../api/storage/csi-node.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { definePlugin, type NodeFilter, requeueWhen } from "../framework/plugin.ts";
import { podThatLeft } from "../framework/pod-changes.ts";
import { type Rejection, reject } from "../framework/rejection.ts";

const NAME = "NodeVolumeLimits";
const FULL = reject(
  NAME,
  "unschedulable",
  "node(s) exceed max volume count",
  () => "end pods with volumes of the same driver on a node, or add a node",
);

/** Attachments by the node they are for. */
const BY_NODE = "nodeName";

class VolumeLimits {
  private readonly claims: Lister<PersistentVolumeClaim>;
  private readonly volumes: Lister<PersistentVolume>;
  private readonly classes: Lister<StorageClass>;
  private readonly nodes: Lister<CSINode>;
  private readonly attachments: Lister<VolumeAttachment>;

  constructor(informers: Informers) {
    this.claims = informers.of(PersistentVolumeClaim).lister;
    this.volumes = informers.of(PersistentVolume).lister;
    this.classes = informers.of(StorageClass).lister;
    this.nodes = informers.of(CSINode).lister;
    const attachments = informers.of(VolumeAttachment);
    attachments.addIndex(BY_NODE, ({ spec }) => [spec.nodeName]);
    this.attachments = attachments.lister;
  }

  prepareFilter(pod: Pod): NodeFilter | undefined {
    const wanted = new Map<string, string>();
    this.add(pod, wanted);
    return wanted.size === 0 ? undefined : { filter: (node) => this.filter(node, wanted) };
  }

  private filter(node: NodeInfo, wanted: ReadonlyMap<string, string>): Rejection | undefined {
    const limits = this.limitsOf(node.name);
    if (limits.size === 0) return undefined;
    const there = new Map<string, string>();
    for (const { pod } of node.pods.values()) if (pod.spec?.volumes) this.add(pod, there);
    for (const { spec } of this.attachments.by(BY_NODE, node.name)) {
      const volume = spec.source.persistentVolumeName;
      const csi = volume ? this.volumes.get("", volume)?.spec.csi : undefined;
      if (csi) there.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    }
    const counts = new Map<string, number>();
    for (const driver of there.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
    const more = new Map<string, number>();
    for (const [volume, driver] of wanted) {
      if (!there.has(volume)) more.set(driver, (more.get(driver) ?? 0) + 1);
    }
    for (const [driver, count] of more) {
      const limit = limits.get(driver);
      if (limit !== undefined && (counts.get(driver) ?? 0) + count > limit) return FULL;
    }
    return undefined;
  }

  private limitsOf(node: string): Map<string, number> {
    const limits = new Map<string, number>();
    for (const { name, allocatable } of this.nodes.get("", node)?.spec.drivers ?? []) {
      if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
    }
    return limits;
  }

  /** Enters the pod's volumes with their drivers; one that is still to be made is known by its claim. */
  private add(pod: Pod, found: Map<string, string>): void {
    const { namespace = "" } = pod.metadata;
    for (const each of pod.spec?.volumes ?? []) {
      const name = claimNameOf(pod, each);
      const claim = name === undefined ? undefined : this.claims.get(namespace, name);
      if (!claim) continue;
      const volume = claim.spec.volumeName ? this.volumes.get("", claim.spec.volumeName) : undefined;
      if (volume) {
        const { csi } = volume.spec;
        if (csi) found.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
        continue;
      }
      const provisioner = this.classes.get("", classOf(claim))?.provisioner;
      const driver = provisioner && externalProvisioner(provisioner);
      if (driver) found.set(`${driver}/ ${namespace}/${name}`, driver);
    }
  }
}

export const nodeVolumeLimits = definePlugin({
  name: NAME,
  start({ informers }) {
    const limits = new VolumeLimits(informers);
    return {
      prepareFilter: ({ pod }) => (pod.spec?.volumes ? limits.prepareFilter(pod) : undefined),
      requeue: [
        requeueWhen(CSINode, ({ now }) => now !== undefined),
        requeueWhen(Pod, (change) => podThatLeft(change)?.spec?.volumes?.some(isClaimed) ?? false),
        requeueWhen(
          PersistentVolumeClaim,
          ({ was, now, waiting }) =>
            now !== undefined &&
            was?.spec.volumeName !== now.spec.volumeName &&
            now.metadata.namespace === waiting.pod.metadata.namespace,
        ),
        requeueWhen(VolumeAttachment, ({ now }) => now === undefined),
      ],
    };
  },
});

function isClaimed(volume: { persistentVolumeClaim?: unknown; ephemeral?: unknown }): boolean {
  return volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined;
}
