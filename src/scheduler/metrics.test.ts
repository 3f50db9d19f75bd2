import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseYAML } from "../machinery/yaml/yaml.ts";
import { SchedulerMetrics } from "./metrics.ts";

interface Listed {
  name: string;
  subsystem?: string;
  type: string;
  stabilityLevel: string;
  labels?: string[];
  buckets?: number[];
}

const LIST = new URL("../../../shared/reference/stable-metrics-list.yaml", import.meta.url);
const skip = existsSync(LIST) ? false : "the reference list of metrics is absent";

/** Metrics of upstream's scheduler that are not served, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  scheduler_goroutines: "there are none",
  scheduler_plugin_evaluation_total:
    "counting every call of every plugin would cost as much as some plugins do",
};

function touched(): string {
  const metrics = new SchedulerMetrics();
  metrics.attempt("p", "scheduled", 1);
  metrics.scheduled(20, 1);
  metrics.extensionPoint("Filter", "p", false, 1);
  metrics.permitWaited(true, 1);
  metrics.cameIn("active", "PodAdd");
  metrics.preempted(2);
  metrics.follow({
    counts: () => ({ active: 1, backoff: 2, unschedulable: 3, gated: 4 }),
    rejectedCounts: () => [["p", "Fit", 5]],
  });
  return metrics.exposition();
}

test("the scheduler's figures have upstream's names, types, labels and buckets", { skip }, () => {
  const text = touched();
  const listed = (parseYAML(readFileSync(LIST, "utf8")) as Listed[]).filter(
    ({ subsystem }) => subsystem === "scheduler",
  );
  assert.ok(listed.length > 10);
  for (const { name, type, stabilityLevel, labels = [], buckets = [] } of listed) {
    const full = `scheduler_${name}`;
    if (ABSENT[full] !== undefined) {
      assert.ok(!text.includes(`# TYPE ${full} `), `${full} is served after all`);
      continue;
    }
    assert.ok(text.includes(`# TYPE ${full} ${type.toLowerCase()}\n`), `${full} is missing`);
    assert.ok(text.includes(`# HELP ${full} [${stabilityLevel}] `), full);
    const series = new RegExp(`^${full}(?:_bucket)?(?:\\{(.*)\\})? `, "m").exec(text)?.[1] ?? "";
    const names = [...series.matchAll(/(\w+)="/g)]
      .map(([, label]) => label)
      .filter((label) => label !== "le");
    assert.deepEqual(names.sort(), [...labels].sort(), full);
    const limits = [...text.matchAll(new RegExp(`^${full}_bucket\\{.*le="([0-9.e+-]+)"`, "gm"))];
    assert.deepEqual(
      limits.map(([, limit]) => Number(limit)),
      buckets,
      full,
    );
  }
});

test("attempts beyond fifteen share a label", () => {
  assert.match(touched(), /^scheduler_pod_scheduling_sli_duration_seconds_count\{attempts="15\+"\} 1$/m);
});
