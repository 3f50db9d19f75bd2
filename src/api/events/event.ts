import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageSince } from "../../machinery/time/duration.ts";
import type { ObjectReference } from "../core/references.ts";
import type { KubeObject } from "../object.ts";
import { type Column, defineResource } from "../resource.ts";
import { eventFromStored, eventToStored } from "./conversion.ts";
import { validateEvent } from "./validate-event.ts";

export interface EventSource {
  component?: string;
  host?: string;
}

/** As stored: the core/v1 form. events.k8s.io/v1 shows the same objects under other field names. */
export interface Event extends KubeObject {
  involvedObject: ObjectReference;
  reason?: string;
  message?: string;
  source?: EventSource;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  count?: number;
  type?: string;
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string };
  action?: string;
  related?: ObjectReference;
  reportingComponent?: string;
  reportingInstance?: string;
}

const TTL_SECONDS = 60 * 60;

export const Event = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  scope: "Namespaced",
  shortNames: ["ev"],
  definition: "core.v1.Event",
  allowCreateOnUpdate: true,
  alternates: [
    {
      group: "events.k8s.io",
      version: "v1",
      kind: "Event",
      definition: "events.v1.Event",
      toStored: eventToStored,
      fromStored: eventFromStored,
    },
  ],
  validateName: nameIsDNSSubdomain,
  validate: validateEvent,
  ttl: () => TTL_SECONDS,
  columns: columns(),
  fields: fields(),
});

/** Under the names of both group versions. */
function fields(): Record<string, (event: Event) => string> {
  const named: Record<string, (event: Event) => string> = {
    reason: ({ reason }) => reason ?? "",
    reportingComponent: reporter,
    reportingController: reporter,
    source: ({ source, reportingComponent }) => source?.component || reportingComponent || "",
    type: ({ type }) => type ?? "",
  };
  const parts = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;
  for (const part of parts) {
    const value = ({ involvedObject }: Event) => involvedObject?.[part] ?? "";
    named[`involvedObject.${part}`] = value;
    named[`regarding.${part}`] = value;
  }
  return named;
}

function reporter({ reportingComponent }: Event): string {
  return reportingComponent ?? "";
}

function columns(): Column<Event>[] {
  const text = (name: string, priority: 0 | 1, cell: Column<Event>["cell"]): Column<Event> =>
    priority === 0 ? { name, type: "string", cell } : { name, type: "string", priority, cell };
  return [
    text("Last Seen", 0, (event, now) => ageSince(lastSeen(event), now)),
    text("Type", 0, ({ type }) => type ?? ""),
    text("Reason", 0, ({ reason }) => reason ?? ""),
    text("Object", 0, ({ involvedObject }) => objectText(involvedObject)),
    text("Subobject", 1, ({ involvedObject }) => involvedObject.fieldPath ?? ""),
    text("Source", 1, sourceText),
    text("Message", 0, ({ message }) => (message ?? "").trim()),
    text("First Seen", 1, (event, now) => ageSince(event.firstTimestamp || event.eventTime, now)),
    text("Count", 1, countOf),
    text("Name", 1, ({ metadata }) => metadata.name),
  ];
}

function lastSeen({ series, lastTimestamp, firstTimestamp, eventTime }: Event): string | null | undefined {
  return series?.lastObservedTime || lastTimestamp || firstTimestamp || eventTime;
}

function countOf({ series, count }: Event): number {
  return series?.count ?? (count || 1);
}

function objectText({ kind = "", name = "" }: ObjectReference): string {
  return kind === "" ? name : `${kind.toLowerCase()}/${name}`;
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.host || reportingInstance || "";
  return host === "" ? component : `${component}, ${host}`;
}
