import assert from "node:assert/strict";
import { test } from "node:test";
import { AbsentOwners } from "./absent-owners.ts";

const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "1" };

test("an owner that was seen to go is absent under whatever name", () => {
  const absent = new AbsentOwners();
  assert.ok(!absent.has(owner, "default"));
  absent.gone("1");
  assert.ok(absent.has(owner, "default"));
  assert.ok(absent.has({ ...owner, name: "other" }, "away"));
});

test("an owner that was not found is absent only as it was asked for", () => {
  const absent = new AbsentOwners();
  absent.notFound({ ...owner, name: "nobody" }, "default");
  assert.ok(absent.has({ ...owner, name: "nobody" }, "default"));
  assert.ok(!absent.has({ ...owner, name: "nobody" }, "away"));
  assert.ok(!absent.has(owner, "default"));
});

test("absent owners are forgotten from a number on, the oldest first", () => {
  const absent = new AbsentOwners();
  for (let i = 0; i < 5000; i++) absent.gone(String(i));
  assert.ok(absent.has({ ...owner, uid: "4999" }, ""));
  assert.ok(!absent.has({ ...owner, uid: "0" }, ""));
});
