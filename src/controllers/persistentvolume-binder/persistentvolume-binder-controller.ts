/**
 * Binds claims to volumes, one to one, and takes care of volumes whose claim is gone.
 *
 * Two objects cannot be written at once: the volume's claimRef is written first and decides. It is written at the
 * resourceVersion that the decision saw, so that of two who want a volume one loses; and a claim that has a volume
 * which names it gets no other. What stops halfway is found as it is and gone on with.
 *
 * Keys are `namespace/name` of claims, names of volumes, and `class:name` of classes.
 */
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pods.ts";
import { BIND_COMPLETED } from "../../api/storage/binding/annotations.ts";
import { classOf, findMatchingVolume } from "../../api/storage/binding/match-volume.ts";
import { claimKeysOf } from "../../api/storage/binding/pod-claims.ts";
import {
  defaultClassOf,
  hasSelectedNode,
  isDefaultClass,
  waitsForConsumer,
} from "../../api/storage/binding/storage-classes.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { decideClaim } from "./decide-claim.ts";
import { decideVolume, migratedFinalizers } from "./decide-volume.ts";
import { Writer } from "./writer.ts";

type Inputs = {
  claims: PersistentVolumeClaim;
  volumes: PersistentVolume;
  classes: StorageClass;
  pods: Pod;
};

const CLASS = "class:";
/** Milliseconds until a decision that lost to another writer is made again. */
const LOST = 20;

export const persistentVolumeBinder = defineController<Inputs>({
  name: "persistentvolume-binder-controller",
  account: "persistent-volume-binder",
  eventSource: "persistentvolume-controller",
  queue: "claims",
  inputs: {
    claims: input(
      PersistentVolumeClaim,
      ({ key, now, was }) => {
        const keys = [key];
        if (now?.spec.volumeName) keys.push(now.spec.volumeName);
        if (was?.spec.volumeName && was.spec.volumeName !== now?.spec.volumeName)
          keys.push(was.spec.volumeName);
        return keys;
      },
      undefined,
      {
        unboundClass: (claim) => (isUnbound(claim) ? [classOf(claim)] : []),
        volumeName: ({ spec }) => (spec.volumeName ? [spec.volumeName] : []),
      },
    ),
    volumes: input(
      PersistentVolume,
      ({ key, now, was }) => {
        const claim = now && claimOf(now);
        const before = was && claimOf(was);
        if (before !== undefined && before !== claim) return claim ? [key, claim, before] : [key, before];
        return claim ? [key, claim] : [key];
      },
      undefined,
      {
        claimRef: (volume) => {
          const claim = claimOf(volume);
          return claim === undefined ? [] : [claim];
        },
        freeOfClass: (volume) => (isFree(volume) ? [classOf(volume)] : []),
      },
    ),
    classes: input(StorageClass, ({ key, now }) => (now ? [`${CLASS}${key}`] : [])),
    pods: input(
      Pod,
      ({ now, was }) => (now && !was && !now.spec?.nodeName ? claimKeysOf(now) : []),
      undefined,
      {
        volumeClaims: claimKeysOf,
      },
    ),
  },
  start,
});

function isUnbound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return !spec.volumeName && metadata.annotations?.[BIND_COMPLETED] === undefined;
}

function isFree({ spec, status }: PersistentVolume): boolean {
  return !spec.claimRef && status?.phase === "Available";
}

function claimOf({ spec: { claimRef } }: PersistentVolume): string | undefined {
  return claimRef && `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}`;
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const binder = new Binder(context, listers);
  return async (key: string): Promise<WorkResult> => {
    try {
      if (key.startsWith(CLASS)) binder.classChanged(key.slice(CLASS.length));
      else if (key.includes("/")) await binder.claim(key);
      else await binder.volume(key);
    } catch (error) {
      if (isReason(error, "Conflict")) return { after: LOST };
      if (!isReason(error, "NotFound")) throw error;
    }
    return undefined;
  };
}

class Binder {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly writer: Writer;

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    this.writer = new Writer(context);
  }

  classChanged(name: string): void {
    const { claims, classes } = this.listers;
    for (const claim of claims.by("unboundClass", name)) this.context.again(keyOf(claim));
    const storageClass = classes.get("", name);
    if (!storageClass || !isDefaultClass(storageClass)) return;
    for (const claim of claims.by("unboundClass", "")) this.context.again(keyOf(claim));
  }

  async claim(key: string): Promise<void> {
    const { claims, volumes, classes, pods } = this.listers;
    const { namespace, name } = splitKey(key);
    const claim = claims.get(namespace, name);
    if (!claim) {
      for (const volume of volumes.by("claimRef", key)) this.context.again(keyOf(volume));
      return;
    }
    const decision = decideClaim(claim, {
      named: claim.spec.volumeName ? volumes.get("", claim.spec.volumeName) : undefined,
      candidates: () => [...volumes.by("claimRef", key), ...volumes.by("freeOfClass", classOf(claim))],
      classNamed: (named) => classes.get("", named),
      defaultClass: () => defaultClassOf(classes.list()),
      unscheduledPods: () => {
        const waiting = pods.by("volumeClaims", key).filter(({ spec }) => !spec?.nodeName);
        return waiting.map(({ metadata }) => metadata.name ?? "").sort();
      },
    });
    await this.writer.claim(claim, decision);
  }

  async volume(name: string): Promise<void> {
    const { claims, volumes } = this.listers;
    const volume = volumes.get("", name);
    if (!volume) {
      for (const claim of claims.by("volumeName", name)) this.context.again(keyOf(claim));
      return;
    }
    const finalizers = migratedFinalizers(volume);
    if (finalizers) {
      await this.writer.setFinalizers(volume, finalizers);
      return;
    }
    const decision = decideVolume(volume, await this.claimOf(volume));
    if (decision.act === "askClaim") this.askClaim(volume);
    else await this.writer.volume(volume, decision);
    for (const claim of claims.by("volumeName", name)) {
      if (claim.status?.phase !== "Bound") this.context.again(keyOf(claim));
    }
    if (isFree(volume)) this.offer(volume);
  }

  /** The claim may be one that the server has and the picture has not yet. */
  private askClaim(volume: PersistentVolume): void {
    const key = claimOf(volume)!;
    const { namespace, name } = splitKey(key);
    this.context.again(key, this.listers.claims.get(namespace, name) ? 0 : LOST);
  }

  /** That no claim names the volume any more is never taken from a picture that may be late: a driver deletes by it. */
  private async claimOf({
    spec: { claimRef },
  }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    if (!claimRef?.uid) return undefined;
    const { namespace = "", name = "", uid } = claimRef;
    const known = this.listers.claims.get(namespace, name);
    if (known?.metadata.uid === uid) return known;
    try {
      const fresh = await this.context.client.resource(PersistentVolumeClaim, namespace).get(name);
      return fresh.metadata.uid === uid ? fresh : undefined;
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /**
   * Looks again at claims that could have the volume. As many as there are free volumes: if all the others of them get
   * another one, the last gets this.
   */
  private offer(volume: PersistentVolume): void {
    const { claims, classes, volumes } = this.listers;
    const name = classOf(volume);
    const waits = waitsForConsumer(classes.get("", name));
    let left = volumes.by("freeOfClass", name).length;
    for (const claim of claims.by("unboundClass", name)) {
      if (waits && !hasSelectedNode(claim)) continue;
      if (!findMatchingVolume(claim, [volume])) continue;
      this.context.again(keyOf(claim));
      if (--left <= 0) return;
    }
  }
}
