/**
 * Has CSI drivers attach volumes to the nodes whose pods use them, and detach them after. Only nodes whose kubelet asks
 * for it by annotation get attachments.
 *
 * Keys are names of nodes, `claim:namespace/name`, and `volume:name`; the latter two stand for the nodes concerned.
 */
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pods.ts";
import type { Node as StoredNode } from "../../api/schema/core.v1.generated.ts";
import { claimKeysOf } from "../../api/storage/binding/pod-claims.ts";
import { CSIDriver } from "../../api/storage/csi-driver.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual, semanticEqual } from "../../machinery/json/equal.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { isDone, type VolumeView, type Wish, wishesOf } from "./attachments.ts";
import { type NodePlan, planNode } from "./plan-node.ts";
import { Telling } from "./telling.ts";

type Inputs = {
  pods: Pod;
  nodes: Node;
  claims: PersistentVolumeClaim;
  volumes: PersistentVolume;
  attachments: VolumeAttachment;
  drivers: CSIDriver;
};

const CLAIM = "claim:";
const VOLUME = "volume:";
const MANAGED = "volumes.kubernetes.io/controller-managed-attach-detach";
const KEEP_TERMINATED = "volumes.kubernetes.io/keep-terminated-pod-volumes";

export const attachDetachController = defineController<Inputs>({
  name: "persistentvolume-attach-detach-controller",
  account: "attachdetach-controller",
  eventSource: "attachdetach-controller",
  queue: "pvcs",
  inputs: {
    pods: input(Pod, ({ now, was }) => nodesOf(now, was), undefined, {
      nodeName: ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []),
      volumeClaims: claimKeysOf,
    }),
    nodes: input(Node, ({ key, now, was }) => (now && was && !matters(now, was) ? [] : [key])),
    claims: input(PersistentVolumeClaim, ({ key, now, was }) =>
      now?.status?.phase === "Bound" && was?.status?.phase !== "Bound" ? [`${CLAIM}${key}`] : [],
    ),
    volumes: input(PersistentVolume, ({ key, now, was }) =>
      now && now.spec.claimRef?.uid !== was?.spec.claimRef?.uid ? [`${VOLUME}${key}`] : [],
    ),
    attachments: input(
      VolumeAttachment,
      ({ now, was }) => {
        const { nodeName, source } = (now ?? was)!.spec;
        // Another node may wait for it.
        if (!now && source.persistentVolumeName) return [nodeName, `${VOLUME}${source.persistentVolumeName}`];
        return [nodeName];
      },
      undefined,
      {
        nodeName: ({ spec }) => [spec.nodeName],
        volumeName: ({ spec }) =>
          spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : [],
      },
    ),
    drivers: input(CSIDriver, () => []),
  },
  start,
});

function nodesOf(now: Pod | undefined, was: Pod | undefined): readonly string[] {
  const node = (now ?? was)?.spec?.nodeName;
  if (!node || claimKeysOf((now ?? was)!).length === 0) return [];
  const samePod = now && was && now.metadata.uid === was.metadata.uid;
  const same = samePod && was.spec?.nodeName === node && isDone(now) === isDone(was);
  return same ? [] : [node];
}

function matters(now: Node, was: Node): boolean {
  return (
    !semanticEqual(now.status?.volumesInUse, was.status?.volumesInUse) ||
    !semanticEqual(now.status?.volumesAttached, was.status?.volumesAttached) ||
    now.metadata.annotations?.[MANAGED] !== was.metadata.annotations?.[MANAGED] ||
    !semanticEqual(now.spec?.taints, was.spec?.taints) ||
    readiness(now) !== readiness(was)
  );
}

function readiness({ status }: Node): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status;
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const attacher = new Attacher(context, listers);
  return async (key: string): Promise<WorkResult> => {
    if (key.startsWith(CLAIM)) attacher.lookAtPodsOf(key.slice(CLAIM.length));
    else if (key.startsWith(VOLUME)) {
      const claim = listers.volumes.get("", key.slice(VOLUME.length))?.spec.claimRef;
      if (claim) attacher.lookAtPodsOf(`${claim.namespace}/${claim.name}`);
    } else return attacher.node(key);
    return undefined;
  };
}

class Attacher {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly view: VolumeView;
  private readonly telling: Telling;
  private readonly unwanted = new Map<string, number>();

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    this.telling = new Telling(context.events);
    const { claims, volumes, drivers } = listers;
    this.view = {
      claim: (namespace, name) => claims.get(namespace, name),
      volume: (name) => volumes.get("", name),
      attachRequired: (driver) => drivers.get("", driver)?.spec.attachRequired ?? true,
    };
  }

  lookAtPodsOf(claim: string): void {
    for (const { spec } of this.listers.pods.by("volumeClaims", claim)) {
      if (spec?.nodeName) this.context.again(spec.nodeName);
    }
  }

  async node(name: string): Promise<WorkResult> {
    const { clock } = this.context;
    const { nodes, attachments } = this.listers;
    const node = nodes.get("", name) as StoredNode | undefined;
    const wishes = this.wishes(name, node);
    const present = attachments.by("nodeName", name);
    if (wishes.size === 0 && present.length === 0 && !node?.status?.volumesAttached?.length) return undefined;
    const now = clock.now();
    const plan = planNode({
      name,
      node,
      wishes,
      attachments: present,
      volume: this.view.volume,
      elsewhere: (volume) => this.elsewhere(volume, name),
      unwantedSince: (attachment) => {
        const since = this.unwanted.get(attachment) ?? now;
        this.unwanted.set(attachment, since);
        return since;
      },
      now,
    });
    for (const wish of wishes.keys()) this.unwanted.delete(wish);
    for (const wish of plan.refused) this.tellRefused(wish, name);
    for (const attachment of present)
      this.telling.progress(attachment, wishes.get(attachment.metadata.name!));
    await this.report(node, plan);
    await Promise.all([
      ...plan.attach.map((wish) => this.attach(wish, name)),
      ...plan.detach.map((attachment) => this.detach(attachment)),
    ]);
    return plan.after === undefined ? undefined : { after: plan.after + 1 };
  }

  private wishes(name: string, node: StoredNode | undefined): Map<string, Wish> {
    const { annotations } = node?.metadata ?? {};
    if (annotations?.[MANAGED] !== "true") return new Map();
    const keeps = annotations[KEEP_TERMINATED] === "true";
    const pods = this.listers.pods.by("nodeName", name).filter((pod) => keeps || !isDone(pod));
    return wishesOf(name, pods, this.view);
  }

  private elsewhere({ metadata }: PersistentVolume, node: string): string[] {
    const others = this.listers.attachments.by("volumeName", metadata.name ?? "");
    return others.map(({ spec }) => spec.nodeName).filter((name) => name !== node);
  }

  private tellRefused(wish: Wish, node: string): void {
    const { claimRef } = wish.volume.spec;
    const claim = `${claimRef?.namespace}/${claimRef?.name}`;
    const users = this.listers.pods.by("volumeClaims", claim);
    const others = users.filter(({ spec }) => spec?.nodeName && spec.nodeName !== node);
    this.telling.refused(wish, others);
  }

  /** What is to be detached is taken from the node's status first, so that the kubelet does not mount it meanwhile. */
  private async report(node: StoredNode | undefined, { attached }: NodePlan): Promise<void> {
    if (!node) return;
    const volumesAttached = attached.map((name) => ({ name, devicePath: "" }));
    if (deepEqual(node.status?.volumesAttached ?? [], volumesAttached)) return;
    const patch = { status: { volumesAttached: volumesAttached.length > 0 ? volumesAttached : null } };
    const options = { type: "merge", subresource: "status" } as const;
    await this.context.client.resource(Node).patch(node.metadata.name ?? "", patch, options);
  }

  private async attach({ name, driver, volume }: Wish, nodeName: string): Promise<void> {
    const source = { persistentVolumeName: volume.metadata.name };
    this.telling.await(name);
    try {
      await this.context.client.resource(VolumeAttachment).create({
        metadata: { name },
        spec: { attacher: driver, nodeName, source },
      });
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
    }
  }

  private async detach({ metadata: { name = "", uid } }: VolumeAttachment): Promise<void> {
    this.unwanted.delete(name);
    try {
      await this.context.client.resource(VolumeAttachment).delete(name, { preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
}
