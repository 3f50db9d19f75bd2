/**
 * Events in the form of events.k8s.io/v1, as upstream's scheduler writes them: what comes again within six minutes is a
 * series of the first event.
 */
import type { KubeObject } from "../../api/object.ts";
import type { ObjectReference } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../client.ts";
import type { ResourceKind } from "../resource-client.ts";
import { isReason } from "../status.ts";
import { eventName, microsecondsOf } from "./event-name.ts";
import {
  DEFAULT_NAMESPACE,
  type EventDetails,
  type EventRecorder,
  LONGEST_NOTE,
  referenceTo,
} from "./event-recorder.ts";
import { RecentlyUsed } from "./recently-used.ts";
import { Sender } from "./sender.ts";

export interface SeriesEventRecorderOptions {
  client: Client;
  /** `reportingController`, such as `default-scheduler`. */
  controller: string;
  /** `reportingInstance`: the controller and the machine it runs on. */
  instance: string;
  clock: Clock;
}

interface Series {
  name: string;
  namespace: string;
  count: number;
  last: number;
  /** When the server was last told of the count. */
  told: number;
}

const EVENTS: ResourceKind = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  scope: "Namespaced",
};
/** Milliseconds without the event that end a series (upstream: finishTime). */
const SERIES_END = 6 * 60_000;
/** Milliseconds between two writes of a series that goes on; the first two are written at once. */
const TELL_EVERY = 60_000;
const REMEMBERED = 4096;

export class SeriesEventRecorder implements EventRecorder {
  private readonly options: SeriesEventRecorderOptions;
  private readonly sender = new Sender();
  private readonly series = new RecentlyUsed<Series>(REMEMBERED);

  constructor(options: SeriesEventRecorderOptions) {
    this.options = options;
  }

  record(
    object: KubeObject | ObjectReference,
    type: "Normal" | "Warning",
    reason: string,
    note: string,
    { action = reason, related }: EventDetails = {},
  ): void {
    const { client, controller, instance, clock } = this.options;
    const now = clock.now();
    const regarding = referenceTo(object);
    const { kind = "", namespace = "", name = "", uid = "" } = regarding;
    const key = `${kind}\n${namespace}\n${name}\n${uid}\n${type}\n${reason}\n${action}`;
    const known = this.series.get(key);
    if (known && now - known.last < SERIES_END) {
      known.count++;
      known.last = now;
      if (known.count > 2 && now - known.told < TELL_EVERY) return;
      known.told = now;
      this.sender.add(key, () => this.extend(key, known));
      return;
    }
    const event = {
      metadata: { name: eventName(name, now, clock), namespace: namespace || DEFAULT_NAMESPACE },
      eventTime: microsecondsOf(now),
      reportingController: controller,
      reportingInstance: instance,
      action,
      reason,
      regarding,
      related: related && referenceTo(related),
      note: note.slice(0, LONGEST_NOTE),
      type,
    };
    const { metadata } = event;
    this.series.set(key, { ...metadata, count: 1, last: now, told: now });
    this.sender.add(key, () => client.resource(EVENTS, metadata.namespace).create(event, { unread: true }));
  }

  private async extend(key: string, { name, namespace, count, last }: Series): Promise<void> {
    const patch = { series: { count, lastObservedTime: microsecondsOf(last) } };
    try {
      await this.options.client
        .resource(EVENTS, namespace)
        .patch(name, patch, { type: "strategic", unread: true });
    } catch (error) {
      // It was deleted, or ended by its TTL: the next one begins anew.
      if (isReason(error, "NotFound")) this.series.delete(key);
    }
  }
}
