/** core/v1 Event and events.k8s.io/v1 Event are one object under two sets of field names. */
import type { KubeObject } from "../object.ts";
import type { Event } from "./event.ts";

const NAMES: readonly (readonly [stored: string, served: string])[] = [
  ["eventTime", "eventTime"],
  ["series", "series"],
  ["reportingComponent", "reportingController"],
  ["reportingInstance", "reportingInstance"],
  ["action", "action"],
  ["reason", "reason"],
  ["involvedObject", "regarding"],
  ["related", "related"],
  ["message", "note"],
  ["type", "type"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
];

export function eventToStored(served: KubeObject): Event {
  const event: Record<string, unknown> = { apiVersion: "v1", kind: "Event", metadata: served.metadata };
  const fields = served as unknown as Record<string, unknown>;
  for (const [stored, name] of NAMES) {
    if (fields[name] !== undefined) event[stored] = fields[name];
  }
  event.involvedObject ??= {};
  return event as unknown as Event;
}

export function eventFromStored(event: Event): KubeObject {
  const served: Record<string, unknown> = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: event.metadata,
  };
  const fields = event as unknown as Record<string, unknown>;
  for (const [stored, name] of NAMES) {
    if (fields[stored] !== undefined) served[name] = fields[stored];
  }
  return served as unknown as KubeObject;
}
