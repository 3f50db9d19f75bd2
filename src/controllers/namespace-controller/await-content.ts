/**
 * Follows what stays in a namespace after its deletion was asked for, so that the controller looks again when something
 * of it goes or changes, and not by the clock.
 */
import type { KubeObject } from "../../api/object.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import { Informer } from "../../client/informer/informer.ts";
import type { Remains } from "./delete-content.ts";

export interface AwaitOptions {
  client: Client;
  clock: Clock;
  random: Random;
  /** Something of what stayed has changed (`soon`), or all of one resource is gone (`now`). */
  moved(namespace: string, when: "now" | "soon"): void;
}

export class AwaitedContent {
  private readonly options: AwaitOptions;
  private readonly followed = new Map<string, Map<string, Informer<KubeObject>>>();

  constructor(options: AwaitOptions) {
    this.options = options;
  }

  /** Follows the resources of `remains` in the namespace, and no others any more. */
  follow(namespace: string, remains: readonly Remains[]): void {
    const were = this.followed.get(namespace);
    const are = new Map<string, Informer<KubeObject>>();
    for (const { kind } of remains) {
      if (!kind.verbs.includes("watch")) continue;
      const key = `${kind.plural}.${kind.group}`;
      are.set(key, were?.get(key) ?? this.open(namespace, kind));
    }
    for (const [key, informer] of were ?? []) if (!are.has(key)) void informer.stop();
    if (are.size > 0) this.followed.set(namespace, are);
    else this.followed.delete(namespace);
  }

  async stop(): Promise<void> {
    const all = [...this.followed.values()].flatMap((informers) => [...informers.values()]);
    this.followed.clear();
    await Promise.all(all.map((informer) => informer.stop()));
  }

  private open(namespace: string, kind: Remains["kind"]): Informer<KubeObject> {
    const { client, clock, random, moved } = this.options;
    const informer = new Informer<KubeObject>({ client: client.resource(kind, namespace), clock, random });
    informer.subscribe(({ now, was }) => {
      if (!now && informer.lister.size === 0) moved(namespace, "now");
      else if (was) moved(namespace, "soon");
    });
    // What went between the count and the watch tells nothing.
    void informer.synced.then(() => informer.lister.size === 0 && moved(namespace, "now"));
    informer.start();
    return informer;
  }
}
