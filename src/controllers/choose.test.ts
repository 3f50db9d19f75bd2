import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenControllers, UnknownController } from "./choose.ts";
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
