import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { MetricSet } from "../../base/metrics/metric-set.ts";
import { WorkQueue } from "./work-queue.ts";
import { WorkQueueMetrics } from "./work-queue-metrics.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("work queue metrics tell what waits, works and failed", async () => {
  const clock = new VirtualClock();
  const set = new MetricSet();
  const metrics = new WorkQueueMetrics(set, () => clock.now());
  const held = Promise.withResolvers<undefined>();
  const queue = new WorkQueue({
    clock,
    observer: metrics.of("some"),
    work: (key) => (key === "bad" ? Promise.reject(new Error("no")) : held.promise),
  });
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}\\{name="some"\\} (.*)$`, "m").exec(set.exposition())?.[1];
  queue.add("held");
  queue.add("bad");
  queue.add("bad");
  assert.equal(value("workqueue_depth"), "2");
  clock.advance(3000);
  queue.start();
  await settled();
  clock.advance(2000);
  assert.equal(value("workqueue_depth"), "1");
  assert.equal(value("workqueue_longest_running_processor_seconds"), "2");
  assert.equal(value("workqueue_unfinished_work_seconds"), "2");
  held.resolve(undefined);
  await settled();
  assert.equal(value("workqueue_adds_total"), "2");
  assert.equal(value("workqueue_retries_total"), "1");
  assert.equal(value("workqueue_queue_duration_seconds_sum"), "8");
  assert.equal(value("workqueue_work_duration_seconds_sum"), "2");
  assert.equal(value("workqueue_work_duration_seconds_count"), "2");
  await queue.close();
});

test("queues of one name are told of together", async () => {
  const clock = new VirtualClock();
  const set = new MetricSet();
  const metrics = new WorkQueueMetrics(set, () => clock.now());
  const held = Promise.withResolvers<undefined>();
  const made = [1, 2].map(() => {
    const queue = new WorkQueue({ clock, observer: metrics.of("shared"), work: () => held.promise });
    queue.add("a");
    queue.start();
    return queue;
  });
  await settled();
  clock.advance(2000);
  const text = set.exposition();
  assert.match(text, /^workqueue_unfinished_work_seconds\{name="shared"\} 4$/m);
  assert.match(text, /^workqueue_longest_running_processor_seconds\{name="shared"\} 2$/m);
  assert.match(text, /^workqueue_adds_total\{name="shared"\} 2$/m);
  held.resolve(undefined);
  await Promise.all(made.map((queue) => queue.close()));
});
