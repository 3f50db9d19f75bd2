import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { accessOf } from "./authorization.ts";
import { KeptAnswers } from "./kept-answers.ts";

test("a path of the kubelet is a verb on a subresource of its node", () => {
  for (const [method, path, verb, ...subresources] of [
    ["GET", "/stats/summary", "get", "stats"],
    ["GET", "/metrics/cadvisor", "get", "metrics"],
    ["GET", "/logs/x", "get", "log"],
    ["POST", "/checkpoint/a/b/c", "create", "checkpoint"],
    ["HEAD", "/healthz", "get", "healthz", "proxy"],
    ["GET", "/healthz/syncloop", "get", "healthz", "proxy"],
    ["GET", "/configz", "get", "configz", "proxy"],
    ["GET", "/pods", "get", "pods", "proxy"],
    ["GET", "/runningpods/", "get", "pods", "proxy"],
    ["GET", "/podsx", "get", "proxy"],
    ["GET", "/metricsx", "get", "proxy"],
    ["GET", "/containerLogs/a/b/c", "get", "proxy"],
    ["DELETE", "/pods", "delete", "pods", "proxy"],
    ["PUT", "/x", "update", "proxy"],
    ["PATCH", "/x", "patch", "proxy"],
    ["TRACE", "/x", "", "proxy"],
    ...["/exec/a/b/c", "/attach/a/b/c", "/portForward/a/b", "/run/a/b/c"].map(
      (action) => ["GET", action, "create", "proxy"] as const,
    ),
  ] as const) {
    assert.deepEqual(accessOf(method, path), { verb, subresources }, `${method} ${path}`);
  }
});

test("an answer is kept for its time, waited for together, and asked for again where it failed", async () => {
  const clock = new VirtualClock();
  const kept = new KeptAnswers<number>(clock);
  let asked = 0;
  const ask = async (): Promise<number> => ++asked;
  const get = (): Promise<number> => kept.get("a", ask, () => 1000);
  assert.deepEqual(await Promise.all([get(), get(), get()]), [1, 1, 1]);
  clock.advance(999);
  assert.equal(await get(), 1);
  clock.advance(1);
  assert.equal(await get(), 2);
  const fail = () =>
    kept.get(
      "b",
      () => Promise.reject(new Error("unreachable")),
      () => 1000,
    );
  await assert.rejects(fail(), /unreachable/);
  assert.equal(await kept.get("b", ask, () => 1000), 3);
});
