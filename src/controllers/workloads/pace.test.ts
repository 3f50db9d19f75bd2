import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("an object with many pods waits its while, unless it changed itself", () => {
  const pace = new Pace();
  assert.equal(pace.wait("a", "1", 0), undefined);
  pace.looked("a", "1", 1000, 0);
  assert.equal(pace.wait("a", "1", 50), 200);
  assert.equal(pace.wait("a", "2", 50), undefined);
  assert.equal(pace.wait("b", "1", 50), undefined);
  assert.equal(pace.wait("a", "1", 250), undefined);
  pace.looked("a", "1", 1_000_000, 0);
  assert.equal(pace.wait("a", "1", 0), 1000);
  pace.forget("a");
  assert.equal(pace.wait("a", "1", 0), undefined);
});

test("an object with few pods never waits", () => {
  const pace = new Pace();
  pace.looked("a", "1", 100, 0);
  assert.equal(pace.wait("a", "1", 0), undefined);
});
