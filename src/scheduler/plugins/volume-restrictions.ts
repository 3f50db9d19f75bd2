/** Keeps pods apart that cannot share a volume: disks that one node mounts once, and claims for a single pod. */
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pods.ts";
import type { Volume } from "../../api/schema/core.v1.generated.ts";
import { claimKeysOf } from "../../api/storage/binding/pod-claims.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { NodeLog, NodeSum } from "../framework/node-log.ts";
import { definePlugin, type NodeFilter, requeueWhen } from "../framework/plugin.ts";
import { podThatLeft } from "../framework/pod-changes.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import { type Rejection, reject } from "../framework/rejection.ts";

const NAME = "VolumeRestrictions";
const DISK = reject(
  NAME,
  "unschedulable",
  "node(s) had no available disk",
  () => "end the pod that uses the disk on this node, or add a node",
);
const IN_USE = reject(
  NAME,
  "unschedulable",
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
  () => "end the other pod that uses the claim, or give each a claim of its own",
);

const NO_CLAIMS: readonly string[] = [];

/** How many pods on nodes use each claim. */
class ClaimUses extends NodeSum<readonly string[]> {
  readonly pods = new Map<string, number>();

  protected of(node: NodeInfo): readonly string[] | undefined {
    let keys: string[] | undefined;
    for (const { pod } of node.pods.values()) {
      const own = pod.spec?.volumes ? claimKeysOf(pod) : NO_CLAIMS;
      if (own.length > 0) keys = keys ? [...keys, ...own] : [...own];
    }
    return keys;
  }

  protected add(keys: readonly string[]): void {
    for (const key of keys) this.pods.set(key, (this.pods.get(key) ?? 0) + 1);
  }

  protected subtract(keys: readonly string[]): void {
    for (const key of keys) {
      const left = (this.pods.get(key) ?? 0) - 1;
      if (left > 0) this.pods.set(key, left);
      else this.pods.delete(key);
    }
  }
}

function overlap(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a?.some((each) => b?.includes(each)) ?? false;
}

/** Whether two pods on one node cannot both mount what these two volumes name. */
export function conflict(a: Volume, b: Volume): boolean {
  const bothRead = (x: { readOnly?: boolean }, y: { readOnly?: boolean }): boolean =>
    x.readOnly === true && y.readOnly === true;
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    const [x, y] = [a.gcePersistentDisk, b.gcePersistentDisk];
    return x.pdName === y.pdName && !bothRead(x, y);
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) {
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  }
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !bothRead(a.iscsi, b.iscsi);
  if (a.rbd && b.rbd) {
    const [x, y] = [a.rbd, b.rbd];
    const isSame = overlap(x.monitors, y.monitors) && x.pool === y.pool && x.image === y.image;
    return isSame && !bothRead(x, y);
  }
  return false;
}

function isExclusive({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }: Volume): boolean {
  return Boolean(gcePersistentDisk ?? awsElasticBlockStore ?? iscsi ?? rbd);
}

class RestrictionFilter implements NodeFilter {
  private readonly disks: readonly Volume[];
  /** Claims that one pod at a time may use. */
  private readonly single: readonly string[];
  private uses: number;

  constructor(disks: readonly Volume[], single: readonly string[], uses: number) {
    this.disks = disks;
    this.single = single;
    this.uses = uses;
  }

  filter(node: NodeInfo): Rejection | undefined {
    if (this.disks.length > 0) {
      for (const { pod } of node.pods.values()) {
        for (const there of pod.spec?.volumes ?? []) {
          if (isExclusive(there) && this.disks.some((disk) => conflict(disk, there))) return DISK;
        }
      }
    }
    return this.uses > 0 ? IN_USE : undefined;
  }

  clone(): RestrictionFilter {
    return new RestrictionFilter(this.disks, this.single, this.uses);
  }

  addPod(info: PodInfo): void {
    this.uses += this.usesOf(info);
  }

  removePod(info: PodInfo): void {
    this.uses -= this.usesOf(info);
  }

  private usesOf({ pod }: PodInfo): number {
    return claimKeysOf(pod).filter((key) => this.single.includes(key)).length;
  }
}

export const volumeRestrictions = definePlugin({
  name: NAME,
  start({ informers }) {
    const claims = informers.of(PersistentVolumeClaim).lister;
    const log = new NodeLog();
    const uses = new ClaimUses(log);
    return {
      prepareFilter({ pod, nodes }): NodeFilter | Rejection | undefined {
        const volumes = pod.spec?.volumes;
        if (!volumes) return undefined;
        const disks = volumes.filter(isExclusive);
        const single: string[] = [];
        for (const key of claimKeysOf(pod)) {
          const { namespace, name } = splitKey(key);
          const claim = claims.get(namespace, name);
          if (!claim) {
            const missing = `persistentvolumeclaim ${JSON.stringify(name)} not found`;
            return reject(NAME, "unresolvable", missing, () => "make the claim that the pod's volume names");
          }
          if (claim.spec.accessModes?.includes("ReadWriteOncePod")) single.push(key);
        }
        if (disks.length === 0 && single.length === 0) return undefined;
        if (single.length > 0) {
          log.sync(nodes.list);
          uses.refresh();
        }
        const used = single.filter((key) => uses.pods.has(key));
        return new RestrictionFilter(disks, single, used.length);
      },
      requeue: [
        requeueWhen(Pod, (change) => {
          const left = podThatLeft(change);
          if (!left) return false;
          const { waiting } = change;
          if (overlap(claimKeysOf(left), claimKeysOf(waiting.pod))) return true;
          return (waiting.pod.spec?.volumes ?? []).some((volume) =>
            left.spec?.volumes?.some((each) => conflict(volume, each)),
          );
        }),
        requeueWhen(PersistentVolumeClaim, ({ now, waiting }) => {
          return now !== undefined && claimKeysOf(waiting.pod).includes(keyOf(now));
        }),
      ],
    };
  },
});
