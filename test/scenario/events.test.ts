import assert from "node:assert/strict";
import { test } from "node:test";
import { Event } from "../../src/api/events/event.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import { CoreEventRecorder } from "../../src/client/events/core-event-recorder.ts";
import { SeriesEventRecorder } from "../../src/client/events/series-event-recorder.ts";
import { startCluster } from "../../src/testing/index.ts";

const MINUTE = 60_000;
const WEB = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web", uid: "1" };

async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function eventsOf(client: Client, name: string): Promise<Event[]> {
  await settled();
  const { items } = await client.resource(Event).list({ fieldSelector: `involvedObject.name=${name}` });
  return items;
}

test("an event that comes again raises the count of the first", async () => {
  const clock = new VirtualClock(Date.parse("2030-01-01T00:00:00Z"));
  await using cluster = await startCluster({ clock, controllers: false });
  const recorder = new CoreEventRecorder({ client: cluster.client, component: "some-controller", clock });
  for (let i = 0; i < 3; i++) {
    recorder.record(WEB, "Warning", "Failing", "it failed");
    clock.advance(MINUTE);
  }
  const [event, ...more] = await eventsOf(cluster.client, "web");
  assert.deepEqual(more, []);
  const { count, firstTimestamp, lastTimestamp, source, reportingComponent, type, message } = event!;
  assert.deepEqual(
    { count, firstTimestamp, lastTimestamp, source, reportingComponent, type, message },
    {
      count: 3,
      firstTimestamp: "2030-01-01T00:00:00Z",
      lastTimestamp: "2030-01-01T00:02:00Z",
      source: { component: "some-controller" },
      reportingComponent: "some-controller",
      type: "Warning",
      message: "it failed",
    },
  );
});

test("events that differ only in their message become one, and an object has a budget", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock, controllers: false });
  const recorder = new CoreEventRecorder({ client: cluster.client, component: "some-controller", clock });
  for (let i = 0; i < 100; i++) recorder.record(WEB, "Normal", "Created", `made ${i}`);
  const events = await eventsOf(cluster.client, "web");
  const combined = events.filter(({ message = "" }) =>
    message.startsWith("(combined from similar events): "),
  );
  assert.equal(events.length - combined.length, 9);
  assert.equal(combined.length, 1);
  assert.equal(combined[0]?.count, 16);
  clock.advance(5 * MINUTE);
  recorder.record(WEB, "Normal", "Other", "one more a while later");
  recorder.record(WEB, "Normal", "Other", "too many");
  assert.equal((await eventsOf(cluster.client, "web")).length, events.length + 1);
});

test("an event of a cluster-scoped object is kept in default, and one that is refused is dropped", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock, controllers: false });
  const recorder = new CoreEventRecorder({ client: cluster.client, component: "some-controller", clock });
  recorder.record({ ...WEB, namespace: "not-there" }, "Normal", "Lost", "its namespace is gone");
  recorder.record({ apiVersion: "v1", kind: "Node", name: "node-1" }, "Normal", "Seen", "x".repeat(5000));
  const [event] = await eventsOf(cluster.client, "node-1");
  assert.equal(event?.metadata.namespace, "default");
  assert.equal(event?.message?.length, 1024);
});

test("an event of events.k8s.io/v1 that comes again within six minutes is a series", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock, controllers: false });
  const recorder = new SeriesEventRecorder({
    client: cluster.client,
    controller: "default-scheduler",
    instance: "default-scheduler-host",
    clock,
  });
  for (let i = 0; i < 3; i++) {
    recorder.record(WEB, "Warning", "FailedScheduling", `try ${i}`, { action: "Scheduling" });
    await settled();
    clock.advance(2 * MINUTE);
  }
  const [event, ...none] = await eventsOf(cluster.client, "web");
  assert.deepEqual(none, []);
  assert.equal(event?.series?.count, 3);
  assert.equal(event?.action, "Scheduling");
  assert.equal(event?.reportingComponent, "default-scheduler");
  clock.advance(7 * MINUTE);
  recorder.record(WEB, "Warning", "FailedScheduling", "much later", { action: "Scheduling" });
  assert.equal((await eventsOf(cluster.client, "web")).length, 2);
});
