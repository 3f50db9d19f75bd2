/** A Deployment of many pods on many nodes, and a picture of where its pods are. */
import { isPodActive, isPodReady } from "../../src/api/core/pod/state.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { type Client, type Cluster, Deployment, Pod } from "../../src/testing/index.ts";

export const SPACE = "default";

export function crowd(name: string, replicas: number, image = "web:1") {
  const labels = { app: name };
  const resources = { requests: { cpu: "100m", memory: "64Mi" } };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image, resources }] } };
  return { metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template } };
}

export function setImage(client: Client, name: string, image: string): Promise<Deployment> {
  const template = { spec: { containers: [{ name: "web", image }] } };
  return client.resource(Deployment, SPACE).patch(name, { spec: { template } }, { type: "strategic" });
}

/** Whether all replicas are of the last template, and there for their users. */
export async function isComplete(client: Client, name: string): Promise<boolean> {
  const { metadata, spec, status } = await client.resource(Deployment, SPACE).get(name);
  const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
  return (
    status?.observedGeneration === metadata.generation && counts.every((count) => count === spec?.replicas)
  );
}

export class Picture {
  /** Of pods that are not on their way out. */
  active = 0;
  ready = 0;
  /** The least and the most that there ever were since `begin`. */
  leastReady = 0;
  mostActive = 0;
  private readonly informers: Informers;

  private constructor({ client, clock }: Cluster) {
    this.informers = new Informers({ client, clock, random: Math.random });
  }

  static async of(cluster: Cluster): Promise<Picture> {
    const picture = new Picture(cluster);
    const pods = picture.pods;
    pods.addIndex("nodeName", ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
    pods.subscribe(({ now, was }) => picture.changed(now, was));
    pods.start();
    await pods.synced;
    return picture;
  }

  /** Looks for the least and the most from now on. */
  begin(): void {
    this.leastReady = this.ready;
    this.mostActive = this.active;
  }

  on(nodes: Iterable<string>): Pod[] {
    return [...nodes].flatMap((name) => this.pods.lister.by("nodeName", name));
  }

  all(): Pod[] {
    return this.pods.lister.list();
  }

  /** Ready pods on nodes other than these. */
  readyBeside(nodes: ReadonlySet<string>): number {
    return this.all().filter((pod) => isReady(pod) && !nodes.has(pod.spec?.nodeName ?? "")).length;
  }

  stop(): Promise<void> {
    return this.informers.stop();
  }

  private get pods() {
    return this.informers.of(Pod);
  }

  private changed(now: Pod | undefined, was: Pod | undefined): void {
    this.active += Number(!!now && isPodActive(now)) - Number(!!was && isPodActive(was));
    this.ready += Number(isReady(now)) - Number(isReady(was));
    this.leastReady = Math.min(this.leastReady, this.ready);
    this.mostActive = Math.max(this.mostActive, this.active);
  }
}

function isReady(pod: Pod | undefined): boolean {
  return pod !== undefined && isPodActive(pod) && isPodReady(pod);
}

/**
 * Asks for the evictions of pods as kubectl drain does, until all are granted: again after five seconds where a budget
 * forbids one.
 */
export class Drain {
  left: number;
  refused = 0;
  private readonly cluster: Cluster;

  constructor(cluster: Cluster, pods: readonly Pod[]) {
    this.cluster = cluster;
    this.left = pods.length;
    for (const { metadata } of pods) void this.evict(metadata.name!);
  }

  private async evict(name: string): Promise<void> {
    const { client, clock } = this.cluster;
    const eviction = { metadata: { name, namespace: SPACE } };
    try {
      await client.resource(Pod, SPACE).createSubresource(name, "eviction", eviction);
      this.left--;
    } catch (error) {
      if ((error as { reason?: string }).reason !== "TooManyRequests") throw error;
      this.refused++;
      clock.setTimer(ASK_AGAIN, () => void this.evict(name));
    }
  }
}

const ASK_AGAIN = 5000;
