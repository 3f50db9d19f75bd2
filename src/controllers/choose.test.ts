import assert from "node:assert/strict";
import { test } from "node:test";
import { ALIASES, chosenControllers, UnknownController } from "./choose.ts";
import { controllers } from "./index.ts";
import type { Controller } from "./runtime/controller.ts";

const all = [{ name: "a" }, { name: "b", offByDefault: true }, { name: "c" }] as Controller[];
const names = (...choice: string[]): string[] => chosenControllers(all, choice).map(({ name }) => name);

test("controllers are chosen as upstream's flag chooses them", () => {
  assert.deepEqual(names("*"), ["a", "c"]);
  assert.deepEqual(names("*", "b"), ["a", "b", "c"]);
  assert.deepEqual(names("*", "-a"), ["c"]);
  assert.deepEqual(names("a", "b"), ["a", "b"]);
  assert.deepEqual(names("a", "-a"), []);
  assert.deepEqual(names(), []);
  assert.throws(() => names("*", "-d"), UnknownController);
});

test("controllers are chosen by their old names, too", () => {
  const all = controllers.map(({ name }) => name);
  for (const name of ALIASES.values()) assert.ok(all.includes(name), name);
  for (const alias of ALIASES.keys()) assert.ok(!all.includes(alias), alias);
  const chosen = (...choice: string[]) => chosenControllers(controllers, choice).map(({ name }) => name);
  assert.deepEqual(chosen("cronjob", "podgc"), ["cronjob-controller", "pod-garbage-collector-controller"]);
  assert.equal(chosen("*", "-nodeipam").length, chosen("*").length - 1);
  // As kubeadm gives it.
  assert.deepEqual(chosen("*", "bootstrapsigner", "tokencleaner"), chosen("*"));
});
