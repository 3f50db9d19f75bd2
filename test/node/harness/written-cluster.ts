/** A cluster without controllers, in which a test writes what it wants components of a node to see. */
import type { TestContext } from "node:test";
import type { KubeObject } from "../../../src/api/object.ts";
import type { Resource } from "../../../src/api/resource.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import { Informers, type Selection } from "../../../src/client/informer/informers.ts";
import type { Given } from "../../../src/client/resource-client.ts";
import { isReason } from "../../../src/client/status.ts";
import { startCluster } from "../../../src/testing/index.ts";

export class WrittenCluster {
  readonly client: Client;
  readonly informers: Informers;
  private readonly selections = new Map<Resource<never>, Selection>();

  private constructor(client: Client) {
    this.client = client;
    this.informers = new Informers({ client, clock: systemClock, random: Math.random });
  }

  static async start(t: Pick<TestContext, "after">): Promise<WrittenCluster> {
    const cluster = await startCluster({ controllers: false, scheduler: false });
    const written = new WrittenCluster(cluster.client);
    t.after(async () => {
      await written.informers.stop();
      await cluster.stop();
    });
    return written;
  }

  /** By which selection the components watch it, where they do not watch all. */
  watchedBy<T extends KubeObject>(kind: Resource<T>, selection: Selection): void {
    this.selections.set(kind as never, selection);
  }

  /** Makes the object, or makes that of its name like it, with its status; resolves when the informers show it. */
  async put<T extends KubeObject & { status?: unknown }>(kind: Resource<T>, object: Given<T>): Promise<T> {
    const objects = this.client.resource(kind, object.metadata.namespace ?? "");
    let now: T;
    try {
      now = await objects.create(object);
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
      const { resourceVersion } = (await objects.get(object.metadata.name!)).metadata;
      now = await objects.update({ ...object, metadata: { ...object.metadata, resourceVersion } });
    }
    const { status } = object as { status?: unknown };
    if (status !== undefined) now = await objects.updateStatus({ ...now, status } as Given<T>);
    await this.shown(kind, now);
    return now;
  }

  async remove<T extends KubeObject>(kind: Resource<T>, name: string, namespace = "default"): Promise<void> {
    const inNamespace = kind.scope === "Cluster" ? "" : namespace;
    await this.client.resource(kind, inNamespace).delete(name, { gracePeriodSeconds: 0 });
    const informer = this.informers.of(kind, this.selections.get(kind as never));
    informer.start();
    await informer.until(() => informer.lister.get(inNamespace, name) === undefined);
  }

  private async shown<T extends KubeObject>(kind: Resource<T>, object: T): Promise<void> {
    const informer = this.informers.of(kind, this.selections.get(kind as never));
    informer.start();
    const { namespace = "", name = "", resourceVersion } = object.metadata;
    await informer.until(
      () => Number(informer.lister.get(namespace, name)?.metadata.resourceVersion) >= Number(resourceVersion),
    );
  }
}
