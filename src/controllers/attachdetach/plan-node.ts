/**
 * What to attach to a node and what to detach from it.
 *
 *   wanted ──▶ attachment made ──▶ its driver says attached ──▶ told to the kubelet, which mounts it
 *   no longer wanted, and unmounted by the kubelet (or given up on) ──▶ not told any more ──▶ attachment deleted
 */
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { Node } from "../../api/schema/core.v1.generated.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import { attachmentName, isSharable, uniqueVolumeName, type Wish } from "./attachments.ts";

/** Milliseconds that a node which is not ready gets to unmount what no pod wants there. */
const LONGEST_UNMOUNT = 6 * 60_000;
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

export interface NodeView {
  name: string;
  /** Absent: it is gone, and with it whatever was mounted. */
  node: Node | undefined;
  wishes: ReadonlyMap<string, Wish>;
  /** On this node. */
  attachments: readonly VolumeAttachment[];
  volume(name: string): PersistentVolume | undefined;
  /** Names of the other nodes that the volume is attached to. */
  elsewhere(volume: PersistentVolume): readonly string[];
  /** When an attachment was first found unwanted. */
  unwantedSince(name: string): number;
  now: number;
}

export interface NodePlan {
  attach: Wish[];
  /** Wanted here, but another node has it for itself. */
  refused: Wish[];
  detach: VolumeAttachment[];
  /** What the node's status shall say is attached. */
  attached: string[];
  /** Milliseconds until an attachment may be given up on. */
  after?: number;
}

export function planNode(view: NodeView): NodePlan {
  const { name, node, wishes, attachments } = view;
  const plan: NodePlan = { attach: [], refused: [], detach: [], attached: [] };
  const present = new Set<string>();
  for (const attachment of attachments) {
    const known = attachment.metadata.name ?? "";
    const csi = volumeOf(attachment, view)?.spec.csi;
    // Others may make attachments for reasons of their own.
    if (!isOwn(attachment, csi && attachmentName(csi.driver, csi.volumeHandle, name))) continue;
    present.add(known);
    const unique = csi && uniqueVolumeName(csi.driver, csi.volumeHandle);
    const leaving = attachment.metadata.deletionTimestamp !== undefined;
    if (!leaving && !wishes.has(known)) {
      const wait = untilDetach(attachment, unique, view);
      if (wait === 0) {
        plan.detach.push(attachment);
        continue;
      }
      if (wait !== undefined) plan.after = Math.min(wait, plan.after ?? wait);
    }
    if (!leaving && attachment.status?.attached && unique) plan.attached.push(unique);
  }
  plan.attached.sort();
  if (!node) return plan;
  for (const wish of wishes.values()) {
    if (present.has(wish.name)) continue;
    const taken = !isSharable(wish.volume) && view.elsewhere(wish.volume).length > 0;
    (taken ? plan.refused : plan.attach).push(wish);
  }
  return plan;
}

function volumeOf({ spec }: VolumeAttachment, view: NodeView): PersistentVolume | undefined {
  const name = spec.source.persistentVolumeName;
  return name === undefined ? undefined : view.volume(name);
}

const OWN_NAME = /^csi-[0-9a-f]{64}$/;

/** By its name, which is made of the volume where that is still known. */
function isOwn({ metadata: { name = "" } }: VolumeAttachment, made: string | undefined): boolean {
  return made === undefined ? OWN_NAME.test(name) : made === name;
}

/** Milliseconds; 0: now; undefined: not before the kubelet has unmounted it. */
function untilDetach(
  { metadata, spec }: VolumeAttachment,
  unique: string | undefined,
  { node, unwantedSince, now }: NodeView,
): number | undefined {
  const since = unwantedSince(metadata.name ?? "");
  if (!node || node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return 0;
  const inUse = node.status?.volumesInUse ?? [];
  // Of a volume that is gone the driver is known, but not which of its volumes it is.
  const mounted = unique
    ? inUse.includes(unique)
    : inUse.some((name) => name.startsWith(uniqueVolumeName(spec.attacher, "")));
  if (!mounted) return 0;
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  return ready ? undefined : Math.max(since + LONGEST_UNMOUNT - now, 0);
}
