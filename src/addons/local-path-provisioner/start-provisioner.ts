/** The half of the provisioner that a cluster has once: makes volumes for claims, grows them, and lets them go. */
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { SELECTED_NODE } from "../../api/storage/binding/annotations.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Informers } from "../../client/informer/informers.ts";
import { splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import { decideClaim, isOwnClaim, type Provisioned } from "./decide-claim.ts";
import { decideVolume, isOwnVolume, nodeOf } from "./decide-volume.ts";
import { FINALIZER } from "./names.ts";

export interface LocalPathProvisionerOptions {
  /** Acts as the service account `local-path-provisioner` of kube-system. */
  client: Client;
  /** Of that account, or those that the process shares. */
  informers: Informers;
  /** In the name of the provisioner. */
  events: EventRecorder;
  clock: Clock;
  /** Where nodes have their directories that do not say where. */
  directory: string;
  log(level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>): void;
}

export interface LocalPathProvisioner {
  stop(): Promise<void>;
}

/** Stands before the name of a volume, in keys. */
const VOLUME = "volume:";
const DELETING_ON = "localPathDeletingOnNode";
const TELL_AFTER = 3;
const RETRY = { first: 50, longest: 60_000 };

export function startLocalPathProvisioner(options: LocalPathProvisionerOptions): LocalPathProvisioner {
  const { informers, clock, log } = options;
  const claims = informers.of(PersistentVolumeClaim);
  const volumes = informers.of(PersistentVolume);
  const classes = informers.of(StorageClass);
  const nodes = informers.of(Node);
  volumes.addIndex(DELETING_ON, (volume) =>
    volume.metadata.deletionTimestamp && isOwnVolume(volume) ? [nodeOf(volume)] : [],
  );
  const provisioner = new Provisioner(options, {
    claims: claims.lister,
    volumes: volumes.lister,
    classes: classes.lister,
    nodes: nodes.lister,
  });
  const queue = new WorkQueue({
    clock,
    workers: 10,
    retry: RETRY,
    work: (key) =>
      key.startsWith(VOLUME) ? provisioner.volume(key.slice(VOLUME.length)) : provisioner.claim(key),
    failed: (key, error, attempt) => {
      if (attempt === TELL_AFTER)
        log("warn", "a local volume could not be dealt with", { key, error: String(error) });
    },
  });
  const all = [claims, volumes, classes, nodes];
  const leave: (() => void)[] = [];
  for (const informer of all) informer.start();
  let stopped = false;
  void Promise.all(all.map(({ synced }) => synced)).then(() => {
    if (stopped) return;
    leave.push(
      claims.subscribe(({ key, now }) => now && isOwnClaim(now) && queue.add(key)),
      volumes.subscribe(({ now }) => now && isOwnVolume(now) && queue.add(VOLUME + now.metadata.name)),
      nodes.subscribe(({ now, was }) => {
        const name = (now ?? was)?.metadata.name ?? "";
        for (const volume of volumes.lister.by(DELETING_ON, name)) queue.add(VOLUME + volume.metadata.name);
      }),
    );
    queue.start();
  });
  return {
    async stop() {
      stopped = true;
      for (const each of leave) each();
      await queue.close();
    },
  };
}

interface Listers {
  claims: { get(namespace: string, name: string): PersistentVolumeClaim | undefined };
  volumes: { get(namespace: string, name: string): PersistentVolume | undefined };
  classes: { get(namespace: string, name: string): StorageClass | undefined };
  nodes: { get(namespace: string, name: string): Node | undefined };
}

class Provisioner {
  private readonly options: LocalPathProvisionerOptions;
  private readonly listers: Listers;

  constructor(options: LocalPathProvisionerOptions, listers: Listers) {
    this.options = options;
    this.listers = listers;
  }

  async claim(key: string): Promise<undefined> {
    const { client, events, directory } = this.options;
    const { volumes, classes, nodes } = this.listers;
    const { namespace, name } = splitKey(key);
    const claim = this.listers.claims.get(namespace, name);
    if (!claim) return;
    const decision = decideClaim(claim, {
      directory,
      classNamed: (of) => classes.get("", of),
      node: (of) => nodes.get("", of),
      volume: (of) => volumes.get("", of),
    });
    switch (decision.act) {
      case "provision":
        await this.provision(claim, decision.volume);
        break;
      case "refuse":
        events.record(claim, "Warning", "ProvisioningFailed", decision.message);
        break;
      case "reschedule": {
        const metadata = {
          annotations: { [SELECTED_NODE]: null },
          resourceVersion: claim.metadata.resourceVersion,
        };
        await client.resource(PersistentVolumeClaim, namespace).patch(name, { metadata }, { type: "merge" });
        const why = `node "${decision.node}" not found`;
        events.record(claim, "Warning", "ProvisioningFailed", `failed to get target node: ${why}`);
        break;
      }
      case "expand":
        await this.expand(claim, decision.volume, decision.size);
    }
  }

  async volume(name: string): Promise<undefined> {
    const volume = this.listers.volumes.get("", name);
    if (!volume) return;
    const client = this.options.client.resource(PersistentVolume);
    const { uid, resourceVersion, finalizers = [] } = volume.metadata;
    try {
      switch (decideVolume(volume, this.listers.nodes.get("", nodeOf(volume)))) {
        case "delete":
          await client.delete(name, { preconditions: { uid } });
          break;
        case "letGo": {
          const left = finalizers.filter((one) => one !== FINALIZER);
          const metadata = { finalizers: left.length > 0 ? left : null, resourceVersion };
          await client.patch(name, { metadata }, { type: "merge" });
        }
      }
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
  }

  private async provision(claim: PersistentVolumeClaim, volume: Provisioned): Promise<void> {
    const { client, events } = this.options;
    const { namespace, name } = claim.metadata;
    events.record(
      claim,
      "Normal",
      "Provisioning",
      `External provisioner is provisioning volume for claim "${namespace}/${name}"`,
    );
    try {
      await client.resource(PersistentVolume).create(volume);
    } catch (error) {
      // A former life of the provisioner made it; the claim's uid is in its name.
      if (isReason(error, "AlreadyExists")) return;
      throw error;
    }
    const note = `Successfully provisioned volume ${volume.metadata.name}`;
    events.record(claim, "Normal", "ProvisioningSucceeded", note);
  }

  private async expand(claim: PersistentVolumeClaim, volume: PersistentVolume, size: string): Promise<void> {
    const { client, events } = this.options;
    const { namespace, name = "" } = claim.metadata;
    const volumeName = volume.metadata.name ?? "";
    events.record(claim, "Normal", "Resizing", `External resizer is resizing volume ${volumeName}`);
    if (volume.spec.capacity?.storage !== size) {
      const patch = { spec: { capacity: { storage: size } } };
      await client.resource(PersistentVolume).patch(volumeName, patch, { type: "merge" });
    }
    const patch = { status: { capacity: { storage: size }, conditions: null } };
    await client
      .resource(PersistentVolumeClaim, namespace)
      .patch(name, patch, { type: "merge", subresource: "status" });
    events.record(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded");
  }
}
