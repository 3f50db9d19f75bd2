import type { Facts } from "../facts.ts";

export const eventsV1beta1: Facts = {
  id: "events.v1beta1",
  group: "events.k8s.io",
  unserved: true,
  messages: `
  Event@ = events.v1
  EventList@ = events.v1
  EventSeries = events.v1
  `,
};
