import assert from "node:assert/strict";
import { test } from "node:test";
import { readResourceMetrics } from "./read-resource-metrics.ts";
import { UsageStore } from "./usage-store.ts";

const AT = Date.parse("2026-01-01T00:00:00Z");

function told(at: number, cpu: number, startedAt = AT - 3_600_000): string {
  const labels = 'container="c",namespace="default",pod="web"';
  return [
    "# HELP container_cpu_usage_seconds_total [STABLE] x",
    "# TYPE container_cpu_usage_seconds_total counter",
    `container_cpu_usage_seconds_total{${labels}} ${cpu} ${at}`,
    `container_memory_working_set_bytes{${labels}} 1.048576e+06 ${at}`,
    `container_start_time_seconds{${labels}} ${startedAt / 1000}`,
    `container_swap_usage_bytes{${labels}} 0 ${at}`,
    `node_cpu_usage_seconds_total ${cpu * 10} ${at}`,
    `node_memory_working_set_bytes 4096 ${at}`,
    `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 99 ${at}`,
    "resource_scrape_error 0",
    "",
  ].join("\n");
}

test("readResourceMetrics reads nodes and containers, whatever their labels hold", () => {
  const { node, containers } = readResourceMetrics(told(AT, 2), 0);
  assert.deepEqual(node, { at: AT, cpu: 20e9, memory: 4096 });
  assert.deepEqual(containers, [
    {
      namespace: "default",
      pod: "web",
      name: "c",
      startedAt: AT - 3_600_000,
      at: AT,
      cpu: 2e9,
      memory: 1_048_576,
    },
  ]);
  const odd = 'container_cpu_usage_seconds_total{container="a\\"b}\\\\ ",namespace="n",pod="p"} 1';
  const memory = odd.replace("cpu_usage_seconds_total", "memory_working_set_bytes");
  const [container] = readResourceMetrics(`${odd}\n${memory}`, 7).containers;
  assert.equal(container?.name, 'a"b}\\ ');
  assert.equal(container?.at, 7);
});

test("readResourceMetrics leaves out what is told by half, and what is no number", () => {
  const { node, containers } = readResourceMetrics(
    'node_cpu_usage_seconds_total 1 5\ncontainer_cpu_usage_seconds_total{container="c"} NaN 5\nnonsense',
    0,
  );
  assert.equal(node, undefined);
  assert.deepEqual(containers, []);
});

test("UsageStore tells what was used between the last two looks", () => {
  const store = new UsageStore();
  store.add("n", readResourceMetrics(told(AT, 2), 0));
  assert.equal(store.node("n"), undefined);
  assert.equal(store.pod("default", "web"), undefined);
  store.add("n", readResourceMetrics(told(AT + 15_000, 5), 0));
  assert.deepEqual(store.node("n"), { name: "n", cpu: 2e9, memory: 4096, at: AT + 15_000, window: 15_000 });
  const pod = {
    namespace: "default",
    name: "web",
    containers: [{ name: "c", cpu: 0.2e9, memory: 1_048_576 }],
    at: AT + 15_000,
    window: 15_000,
  };
  assert.deepEqual(store.pod("default", "web"), pod);
  assert.deepEqual([...store.pods("")], [pod]);
  assert.deepEqual([...store.pods("other")], []);
  // The same look again is none.
  store.add("n", readResourceMetrics(told(AT + 15_000, 5), 0));
  assert.deepEqual(store.pod("default", "web"), pod);
});

test("UsageStore takes a container that began between two looks for a new one", () => {
  const store = new UsageStore();
  store.add("n", readResourceMetrics(told(AT, 100), 0));
  store.add("n", readResourceMetrics(told(AT + 30_000, 1, AT + 10_000), 0));
  assert.equal(store.pod("default", "web")?.window, 20_000);
  assert.equal(store.pod("default", "web")?.containers[0]?.cpu, 0.05e9);
  // One that has hardly begun says nothing yet.
  store.add("n", readResourceMetrics(told(AT + 60_000, 0.5, AT + 55_000), 0));
  assert.equal(store.pod("default", "web"), undefined);
});

test("UsageStore forgets pods that a node tells no more, and nodes that are gone", () => {
  const store = new UsageStore();
  for (const name of ["n", "m"]) store.add(name, { node: { at: 1, cpu: 0, memory: 0 }, containers: [] });
  store.add("n", readResourceMetrics(told(AT, 2), 0));
  store.add("n", readResourceMetrics(told(AT + 15_000, 5), 0));
  // It moved: what its old node tells next is not the end of it.
  store.add("m", readResourceMetrics(told(AT + 20_000, 5), 0));
  store.add("n", { node: undefined, containers: [] });
  store.add("m", readResourceMetrics(told(AT + 35_000, 6.5), 0));
  assert.equal(store.pod("default", "web")?.containers[0]?.cpu, 0.1e9);
  store.remove("m");
  assert.equal(store.pod("default", "web"), undefined);
  assert.deepEqual([...store.nodes()], []);
});
