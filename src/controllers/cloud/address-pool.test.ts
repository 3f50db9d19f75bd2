import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressPool } from "./address-pool.ts";

test("AddressPool gives every address of its ranges once, and none of the network's own", () => {
  const pool = new AddressPool(["192.168.1.0/30", "10.0.0.9-10.0.0.10", "fd00::/127"]);
  const taken = Array.from({ length: 5 }, (_, i) => pool.take(4, `uid${i}`));
  assert.deepEqual(taken, ["192.168.1.1", "192.168.1.2", "10.0.0.9", "10.0.0.10", undefined]);
  assert.deepEqual(
    [pool.take(6, "a"), pool.take(6, "b"), pool.take(6, "c")],
    ["fd00::", "fd00::1", undefined],
  );
  pool.release("10.0.0.9");
  assert.equal(pool.take(4, "again"), "10.0.0.9");
});

test("AddressPool holds an asked address for one, in whatever form it is written", () => {
  const pool = new AddressPool(["192.168.1.0/24", "fd00::/120"]);
  assert.ok(pool.hold("fd00:0::5", "a"));
  assert.ok(pool.hold("fd00::5", "a"));
  assert.ok(!pool.hold("fd00::5", "b"));
  assert.ok(!pool.hold("192.168.2.1", "a"));
  assert.ok(!pool.hold("192.168.1.0", "a"), "the network's own");
  assert.ok(!pool.hold("", "a"));
});

test("AddressPool refuses what is no range", () => {
  for (const text of ["lan", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "10.0.0.1"]) {
    assert.throws(() => new AddressPool([text]), /is not a range of addresses/, text);
  }
});
