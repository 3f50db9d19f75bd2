/**
 * Writes the status of pods: only what differs from what the server has, and only to the pod that it was found of, not
 * to another that took its name. One write of a pod is under way at a time; the newest status follows it.
 */
import { Pod } from "../../api/core/pod/pod.ts";
import type { PodStatus } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { isReason } from "../../client/status.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";

export interface StatusWriterOptions {
  client: Client;
  clock: Clock;
  failed(pod: Pod, error: unknown): void;
  /** Told of each answer of the server. */
  wrote?(pod: Pod): void;
}

interface Entry {
  wanted: PodStatus;
  /** What was looked at last, and written where that was needed. */
  settled?: PodStatus;
  /** As the server has it, to the writer's knowledge. */
  known: Pod;
  running?: Promise<void>;
  cancelRetry?: () => void;
  /** Cancels the timer after which what is held is written. */
  cancelHold?: (() => void) | undefined;
  delay: number;
  gone: boolean;
}

const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #entries = new Map<string, Entry>();
  #stopped = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /**
   * `pod` as it was last seen. `holdMs`: what follows so soon is worth waiting for, and is written in its place.
   */
  set(pod: Pod, wanted: PodStatus, holdMs = 0): void {
    const uid = pod.metadata.uid ?? "";
    let entry = this.#entries.get(uid);
    if (!entry) {
      entry = { wanted, known: pod, delay: 0, gone: false };
      this.#entries.set(uid, entry);
    }
    entry.wanted = wanted;
    if (isNewer(pod, entry.known)) entry.known = pod;
    if (holdMs > 0) this.#hold(entry, holdMs);
    else this.#release(entry);
  }

  #hold(entry: Entry, ms: number): void {
    entry.cancelHold ??= this.#options.clock.setTimer(ms, () => this.#release(entry));
  }

  #release(entry: Entry): void {
    entry.cancelHold?.();
    entry.cancelHold = undefined;
    this.#write(entry);
  }

  /** What the server has of the pod's status, where the writer knows better than `pod` says. */
  latest(pod: Pod): Pod {
    const entry = this.#entries.get(pod.metadata.uid ?? "");
    return entry && isNewer(entry.known, pod) ? { ...pod, status: entry.known.status } : pod;
  }

  /** Resolves when what was wanted is written, or cannot be any more. */
  async flushed(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    while (entry?.running) await entry.running;
  }

  forget(uid: string): void {
    const entry = this.#entries.get(uid);
    entry?.cancelRetry?.();
    entry?.cancelHold?.();
    this.#entries.delete(uid);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const entries = [...this.#entries.values()];
    for (const entry of entries) {
      entry.cancelRetry?.();
      entry.cancelHold?.();
    }
    await Promise.all(entries.map(({ running }) => running));
  }

  #write(entry: Entry): void {
    if (entry.running || entry.cancelHold || this.#stopped || entry.gone) return;
    entry.running = this.#run(entry).finally(() => {
      entry.running = undefined;
      // It may have been set at the very end of the last one.
      if (entry.wanted !== entry.settled) this.#write(entry);
    });
  }

  async #run(entry: Entry): Promise<void> {
    for (;;) {
      const { wanted, known } = entry;
      const changes = statusChanges(known.status ?? {}, wanted);
      entry.settled = wanted;
      if (!changes || this.#stopped || entry.gone) return;
      try {
        await this.#patch(entry, changes);
        entry.delay = 0;
        // What the server makes otherwise of it is not written again and again.
        if (entry.wanted === wanted || entry.cancelHold) return;
      } catch (error) {
        // Another pod has the name by now, or none.
        if (isReason(error, "NotFound", "Conflict")) {
          entry.gone = true;
          return;
        }
        this.#options.failed(known, error);
        await this.#pause(entry);
      }
    }
  }

  async #patch(entry: Entry, status: object): Promise<void> {
    const { name = "", namespace = "", uid } = entry.known.metadata;
    const patch = { metadata: { uid }, status };
    const pods = this.#options.client.resource(Pod, namespace);
    entry.known = await pods.patch(name, patch, { type: "strategic", subresource: "status" });
    this.#options.wrote?.(entry.known);
  }

  #pause(entry: Entry): Promise<void> {
    entry.delay = Math.min(LONGEST_DELAY, entry.delay * 2 || FIRST_DELAY);
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.setTimer(entry.delay, resolve);
    entry.cancelRetry = () => {
      cancel();
      resolve();
    };
    return promise;
  }
}

function isNewer(pod: Pod, than: Pod): boolean {
  return Number(pod.metadata.resourceVersion) > Number(than.metadata.resourceVersion);
}

type Field = keyof PodStatus;

/** What the kubelet says of a pod, and nobody else. */
const FIELDS: readonly Field[] = [
  "observedGeneration",
  "phase",
  "reason",
  "message",
  "hostIP",
  "hostIPs",
  "podIP",
  "podIPs",
  "startTime",
  "containerStatuses",
  "initContainerStatuses",
  "ephemeralContainerStatuses",
  "qosClass",
  "resources",
  "allocatedResources",
];
const REPLACED: ReadonlySet<Field> = new Set<Field>(["hostIPs", "podIPs"]);

/** A strategic merge patch of what differs; undefined where nothing does. */
export function statusChanges(before: PodStatus, wanted: PodStatus): object | undefined {
  const changes: Record<string, unknown> = {};
  for (const field of FIELDS) {
    if (semanticEqual(before[field], wanted[field])) continue;
    const value = wanted[field];
    changes[field] =
      REPLACED.has(field) && Array.isArray(value) ? [...value, { $patch: "replace" }] : (value ?? null);
  }
  const conditions = conditionChanges(before, wanted);
  if (conditions.length > 0) changes.conditions = conditions;
  return Object.keys(changes).length > 0 ? changes : undefined;
}

function conditionChanges(before: PodStatus, wanted: PodStatus): object[] {
  const changes: object[] = [];
  for (const condition of wanted.conditions ?? []) {
    const known = before.conditions?.find(({ type }) => type === condition.type);
    if (known && semanticEqual(known, condition)) continue;
    // A field that is not said any more is taken away.
    changes.push({ reason: null, message: null, ...condition });
  }
  for (const { type } of before.conditions ?? []) {
    if (!type.startsWith("PodResize") || wanted.conditions?.some((condition) => condition.type === type))
      continue;
    changes.push({ $patch: "delete", type });
  }
  return changes;
}
