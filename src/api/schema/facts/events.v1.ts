import type { Facts } from "../facts.ts";

export const eventsV1: Facts = {
  id: "events.v1",
  group: "events.k8s.io",
  messages: `
  Event@: 1 metadata, 2 eventTime, 3 series, 4 reportingController, 5 reportingInstance, 6 action,
    7 reason, 8 regarding, 9 related, 10 note, 11 type, 12 deprecatedSource, 13 deprecatedFirstTimestamp,
    14 deprecatedLastTimestamp, 15 deprecatedCount
  EventList@: 1 metadata, 2 items
  EventSeries: 1 count, 2 lastObservedTime
  `,
};
