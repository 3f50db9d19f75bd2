/**
 * Keeps a target in step with the server, without polling:
 *
 *   begin ──▶ watch with initial events ──▶ bookmark: replace(all) ──▶ events ──┐
 *     │  (refused: list page by page)                                           │
 *     ▲                                   resume from the last revision ◀── cut ┘
 *     └── Expired (410): everything anew ◀──────────────────────────────────────┘
 *
 * Each failure waits longer than the one before, with jitter; a watch that worked resets that.
 */
import type { KubeObject } from "../../api/object.ts";
import type { Clock } from "../../base/clock.ts";
import { Backoff, type Random } from "../backoff.ts";
import type { SelectOptions } from "../options.ts";
import type { ResourceClient } from "../resource-client.ts";
import { isReason } from "../status.ts";
import { wait } from "../wait.ts";
import type { WatchEvent } from "../watch-events.ts";

export interface ReflectorTarget<T> {
  /** Everything there is at `revision`; what is not among it is gone. */
  replace(objects: readonly T[], revision: string): void;
  /** In the order of revisions; never a bookmark. */
  changed(event: WatchEvent<T>): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  client: Pick<ResourceClient<T>, "lasting" | "listAll" | "watch">;
  select?: Pick<SelectOptions, "labelSelector" | "fieldSelector">;
  target: ReflectorTarget<T>;
  clock: Clock;
  random: Random;
  /** Told of each failure; the reflector goes on by itself. */
  failed?: (error: unknown) => void;
}

const FIRST_WAIT = 200;
const LONGEST_WAIT = 30_000;
/** A watch that ended sooner than this without an event counts as a failure: a server that cannot hold watches. */
const SHORT = 1000;
/** Seconds after which the server ends a watch, at random between this and twice this, so that many do not meet. */
const WATCH_SECONDS = 300;
/** Where nothing could lose the watch without a word: ten years. */
const LASTING_SECONDS = 10 * 365 * 86_400;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

export class Reflector<T extends KubeObject> {
  private readonly options: ReflectorOptions<T>;
  private readonly backoff: Backoff;
  /** The last revision that the target has seen; "" before the first whole picture. */
  private revision = "";
  private streamsLists = true;

  constructor(options: ReflectorOptions<T>) {
    this.options = options;
    this.backoff = new Backoff({ first: FIRST_WAIT, longest: LONGEST_WAIT, jitter: 1 }, options.random);
  }

  /** Runs until `signal` is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    while (!signal.aborted) {
      const began = clock.elapsed();
      try {
        const events = await this.once(signal);
        if (events > 0 || clock.elapsed() - began >= SHORT) {
          this.backoff.reset();
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.learn(error);
      }
      await wait(clock, this.backoff.next(), signal);
    }
  }

  /** One watch to its end; returns how many events it brought. */
  private async once(signal: AbortSignal): Promise<number> {
    if (this.revision !== "") return this.follow(signal);
    if (this.streamsLists) return this.followFromStart(signal);
    const { metadata, items } = await this.options.client.listAll({ ...this.options.select, signal });
    this.picture(items, metadata.resourceVersion ?? "");
    return this.follow(signal);
  }

  private learn(error: unknown): void {
    // A server without streamed lists says so by refusing the parameters.
    if (this.revision === "" && this.streamsLists && isReason(error, "Invalid", "BadRequest")) {
      this.streamsLists = false;
      return;
    }
    if (isReason(error, "Expired", "Gone")) this.revision = "";
    this.options.failed?.(error);
  }

  private async followFromStart(signal: AbortSignal): Promise<number> {
    const initial = new Map<string, T>();
    const events = this.options.client.watch({
      ...this.options.select,
      allowWatchBookmarks: true,
      sendInitialEvents: true,
      shared: true,
      resourceVersionMatch: "NotOlderThan",
      timeoutSeconds: this.timeout(),
      signal,
    });
    let count = 0;
    for await (const event of events) {
      const { metadata } = event.object;
      if (this.revision !== "") this.see(event);
      else if (event.type === "BOOKMARK") {
        if (metadata.annotations?.[INITIAL_EVENTS_END] !== "true") continue;
        this.picture([...initial.values()], metadata.resourceVersion ?? "");
      } else {
        const key = `${metadata.namespace ?? ""}/${metadata.name}`;
        if (event.type === "DELETED") initial.delete(key);
        else initial.set(key, event.object);
      }
      count++;
    }
    return count;
  }

  private async follow(signal: AbortSignal): Promise<number> {
    const events = this.options.client.watch({
      ...this.options.select,
      allowWatchBookmarks: true,
      shared: true,
      resourceVersion: this.revision,
      timeoutSeconds: this.timeout(),
      signal,
    });
    let count = 0;
    for await (const event of events) {
      this.see(event);
      count++;
    }
    return count;
  }

  private picture(objects: readonly T[], revision: string): void {
    this.options.target.replace(objects, revision);
    this.revision = revision;
    this.backoff.reset();
  }

  private see(event: WatchEvent<T>): void {
    if (event.type !== "BOOKMARK") this.options.target.changed(event);
    this.revision = event.object.metadata.resourceVersion ?? this.revision;
  }

  private timeout(): number {
    if (this.options.client.lasting) return LASTING_SECONDS;
    return WATCH_SECONDS + Math.floor(this.options.random() * WATCH_SECONDS);
  }
}
