import assert from "node:assert/strict";
import { test } from "node:test";
import { Selectors } from "./selectors.ts";

test("services are found by the labels of a pod, in its namespace, where all of the selector holds", () => {
  const selectors = new Selectors();
  selectors.set("a/web", "a", { app: "web", env: "prod" });
  selectors.set("a/all", "a", { env: "prod" });
  selectors.set("b/web", "b", { app: "web" });
  selectors.set("a/none", "a", {});
  const find = (namespace: string, labels: Record<string, string>) =>
    selectors.matching(namespace, labels).sort();
  assert.deepEqual(find("a", { app: "web", env: "prod", other: "x" }), ["a/all", "a/web"]);
  assert.deepEqual(find("a", { app: "web" }), []);
  assert.deepEqual(find("b", { app: "web" }), ["b/web"]);
  assert.deepEqual(find("a", { constructor: "x" }), []);
  assert.equal(selectors.set("a/web", "a", { env: "prod", app: "web" }), false);
  assert.equal(selectors.set("a/web", "a", { app: "api" }), true);
  assert.deepEqual(find("a", { app: "web", env: "prod" }), ["a/all"]);
  selectors.delete("a/all");
  assert.deepEqual(find("a", { app: "web", env: "prod" }), []);
});

test("a service is found by what it shares with the fewest others", () => {
  const selectors = new Selectors();
  for (let i = 0; i < 20_000; i++) selectors.set(`a/s${i}`, "a", { env: "prod", app: `app-${i}` });
  const before = process.cpuUsage();
  for (let i = 1; i <= 10_000; i++) {
    const [found, ...others] = selectors.matching("a", { env: "prod", app: `app-${i}` });
    assert.ok(found === `a/s${i}` && others.length === 0);
  }
  // All share a label: looking at each takes many seconds of processor time, where this takes a few hundredths.
  const { user } = process.cpuUsage(before);
  assert.ok(user < 3_000_000, `${user} microseconds`);
});
