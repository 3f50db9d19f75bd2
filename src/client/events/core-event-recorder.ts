/**
 * Events in the form of core/v1, as upstream's controllers and kubelet write them: an event that comes again raises the
 * count of the first; many that differ only in their message become one; an object has a budget.
 */
import { Event } from "../../api/events/event.ts";
import type { KubeObject } from "../../api/object.ts";
import type { ObjectReference } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../client.ts";
import { isReason } from "../status.ts";
import { eventName, secondsOf } from "./event-name.ts";
import { DEFAULT_NAMESPACE, type EventRecorder, LONGEST_NOTE, referenceTo } from "./event-recorder.ts";
import { RecentlyUsed } from "./recently-used.ts";
import { Sender } from "./sender.ts";

export interface CoreEventRecorderOptions {
  client: Client;
  /** Shown under From: a controller's name, or a program's. */
  component: string;
  /** The node, of components that run on one. */
  host?: string;
  clock: Clock;
}

interface Seen {
  name: string;
  namespace: string;
  count: number;
  firstTimestamp: string;
}

interface Similar {
  messages: Set<string>;
  last: number;
}

interface Budget {
  left: number;
  at: number;
}

// Upstream's figures (client-go/tools/record/events_cache.go).
const BURST = 25;
const REFILL_MS = 5 * 60_000;
const SIMILAR = 10;
const SIMILAR_MS = 10 * 60_000;
const REMEMBERED = 4096;
const COMBINED = "(combined from similar events): ";

export class CoreEventRecorder implements EventRecorder {
  private readonly options: CoreEventRecorderOptions;
  private readonly sender = new Sender();
  private readonly seen = new RecentlyUsed<Seen>(REMEMBERED);
  private readonly similar = new RecentlyUsed<Similar>(REMEMBERED);
  private readonly budgets = new RecentlyUsed<Budget>(REMEMBERED);

  constructor(options: CoreEventRecorderOptions) {
    this.options = options;
  }

  record(
    regarding: KubeObject | ObjectReference,
    type: "Normal" | "Warning",
    reason: string,
    note: string,
  ): void {
    const now = this.options.clock.now();
    const involvedObject = referenceTo(regarding);
    const { kind = "", namespace = "", name = "", uid = "", fieldPath = "" } = involvedObject;
    const object = `${kind}\n${namespace}\n${name}\n${uid}\n${fieldPath}`;
    if (!this.mayRecord(object, now)) return;
    const { key, message } = this.combined(`${object}\n${type}\n${reason}`, note.slice(0, LONGEST_NOTE), now);
    this.sender.add(key, () => this.send(key, involvedObject, type, reason, message, now));
  }

  private mayRecord(object: string, now: number): boolean {
    const budget = this.budgets.get(object) ?? { left: BURST, at: now };
    budget.left = Math.min(BURST, budget.left + (now - budget.at) / REFILL_MS);
    budget.at = now;
    this.budgets.set(object, budget);
    if (budget.left < 1) return false;
    budget.left -= 1;
    return true;
  }

  private combined(key: string, note: string, now: number): { key: string; message: string } {
    let similar = this.similar.get(key);
    if (!similar || now - similar.last > SIMILAR_MS) similar = { messages: new Set(), last: now };
    similar.last = now;
    if (similar.messages.size < SIMILAR) similar.messages.add(note);
    this.similar.set(key, similar);
    if (similar.messages.size < SIMILAR) return { key: `${key}\n${note}`, message: note };
    return { key, message: `${COMBINED}${note}`.slice(0, LONGEST_NOTE) };
  }

  private async send(
    key: string,
    involvedObject: ObjectReference,
    type: string,
    reason: string,
    message: string,
    at: number,
  ): Promise<void> {
    const { client, component, host, clock } = this.options;
    const time = secondsOf(at);
    const before = this.seen.get(key);
    if (before) {
      try {
        const count = before.count + 1;
        const patch = { count, lastTimestamp: time, message };
        const events = client.resource(Event, before.namespace);
        await events.patch(before.name, patch, { type: "strategic", unread: true });
        before.count = count;
        return;
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
    }
    const namespace = involvedObject.namespace || DEFAULT_NAMESPACE;
    const name = eventName(involvedObject.name ?? "", at, clock);
    const count = before ? before.count + 1 : 1;
    const firstTimestamp = before?.firstTimestamp ?? time;
    const seen = { name, namespace, count, firstTimestamp };
    const event = {
      metadata: { name, namespace },
      involvedObject,
      reason,
      message,
      source: host === undefined ? { component } : { component, host },
      firstTimestamp,
      lastTimestamp: time,
      count,
      type,
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
    await client.resource(Event, namespace).create(event, { unread: true });
    this.seen.set(key, seen);
  }
}
