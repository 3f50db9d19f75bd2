/** Shows static pods in the API: a mirror of each, made again where somebody deletes it, gone when the pod is. */
import { Pod } from "../../api/core/pod/pod.ts";
import type { Pod as PodObject } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { isMirrorOf, isMirrorPod, mirrorOf } from "./static-pod.ts";

export interface MirrorPodsOptions {
  client: Client;
  clock: Clock;
  /** Of the node's pods. */
  pods: Lister<PodObject>;
  /** Undefined while the node is not registered. */
  node(): { name: string; uid: string } | undefined;
  log(level: "warn", text: string, facts: Record<string, unknown>): void;
}

const RETRY = 5000;

export class MirrorPods {
  readonly #options: MirrorPodsOptions;
  #wanted: readonly PodObject[] = [];
  #running = false;
  #again = false;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: MirrorPodsOptions) {
    this.#options = options;
  }

  set(pods: readonly PodObject[]): void {
    this.#wanted = pods;
    this.look();
  }

  /** The mirror of a static pod that runs; undefined while there is none. */
  of(pod: PodObject): PodObject | undefined {
    const mirror = this.#options.pods.get(pod.metadata.namespace ?? "", pod.metadata.name ?? "");
    return mirror && isMirrorPod(mirror) && isMirrorOf(mirror, pod) ? mirror : undefined;
  }

  /** A mirror, a static pod or the node may have changed. */
  look(): void {
    if (this.#stopped) return;
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#cancel?.();
    this.#cancel = undefined;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#sync();
      }
    } catch (error) {
      if (this.#stopped) return;
      this.#options.log("warn", "a mirror pod could not be kept", { error: String(error) });
      this.#cancel = this.#options.clock.setTimer(RETRY, () => this.look());
    } finally {
      this.#running = false;
    }
  }

  async #sync(): Promise<void> {
    const { client, pods } = this.#options;
    const node = this.#options.node();
    if (!node) return;
    for (const mirror of pods.list().filter(isMirrorPod)) {
      const { name, namespace } = mirror.metadata;
      const pod = this.#wanted.find(
        ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
      );
      if (!pod || !isMirrorOf(mirror, pod)) await this.#delete(mirror);
    }
    for (const pod of this.#wanted) {
      const { name = "", namespace = "" } = pod.metadata;
      if (pods.get(namespace, name)) continue;
      try {
        await client.resource(Pod, namespace).create(mirrorOf(pod, node));
      } catch (error) {
        if (!isReason(error, "AlreadyExists")) throw error;
      }
    }
  }

  async #delete({ metadata }: PodObject): Promise<void> {
    const { name = "", namespace = "", uid = "" } = metadata;
    try {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      await this.#options.client.resource(Pod, namespace).delete(name, options);
    } catch (error) {
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
}
