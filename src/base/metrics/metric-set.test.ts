import assert from "node:assert/strict";
import { test } from "node:test";
import { buckets } from "./histogram.ts";
import { MetricSet } from "./metric-set.ts";

test("a metric set writes each figure with its help and its series", () => {
  const set = new MetricSet();
  const retries = set.counter("retries_total", "Retries", ["name"]);
  retries.of("a").add();
  retries.of("b").add(2);
  retries.of("a").add();
  set.gauge("depth", "Depth", [], (gauge) => gauge.of().set(7));
  set
    .histogram("seconds", "Time", ["name"], buckets([1, 2]))
    .of("a")
    .observe(1.5);
  assert.equal(
    set.exposition(),
    [
      "# HELP retries_total Retries",
      "# TYPE retries_total counter",
      'retries_total{name="a"} 2',
      'retries_total{name="b"} 2',
      "# HELP depth Depth",
      "# TYPE depth gauge",
      "depth 7",
      "# HELP seconds Time",
      "# TYPE seconds histogram",
      'seconds_bucket{name="a",le="1"} 0',
      'seconds_bucket{name="a",le="2"} 1',
      'seconds_bucket{name="a",le="+Inf"} 1',
      'seconds_sum{name="a"} 1.5',
      'seconds_count{name="a"} 1',
      "",
    ].join("\n"),
  );
  assert.equal(new MetricSet().exposition(), "");
});
