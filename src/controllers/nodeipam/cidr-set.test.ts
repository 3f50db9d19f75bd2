import assert from "node:assert/strict";
import { test } from "node:test";
import { CIDRSet } from "./cidr-set.ts";

function allOf(set: CIDRSet): string[] {
  const found: string[] = [];
  for (let block = set.allocate(); block !== undefined; block = set.allocate()) found.push(block);
  return found;
}

test("CIDRSet gives every block out once", () => {
  assert.deepEqual(allOf(new CIDRSet("10.244.0.0/22", 24)), [
    "10.244.0.0/24",
    "10.244.1.0/24",
    "10.244.2.0/24",
    "10.244.3.0/24",
  ]);
  assert.deepEqual(allOf(new CIDRSet("fd00:10:244::/63", 64)), ["fd00:10:244::/64", "fd00:10:244:1::/64"]);
});

test("CIDRSet gives nothing out that is occupied, and gives it out when all have released it", () => {
  const set = new CIDRSet("10.244.0.0/22", 24);
  set.occupy("10.244.2.0/23");
  set.occupy("10.244.3.128/25");
  set.occupy("192.168.0.0/16");
  set.occupy("fd00::/64");
  assert.deepEqual(allOf(set), ["10.244.0.0/24", "10.244.1.0/24"]);
  set.release("10.244.2.0/23");
  assert.deepEqual(allOf(set), ["10.244.2.0/24"]);
  set.release("10.244.3.128/25");
  assert.deepEqual(allOf(set), ["10.244.3.0/24"]);
  set.release("10.244.0.0/24");
  assert.deepEqual(allOf(set), ["10.244.0.0/24"]);
});

test("CIDRSet is all occupied by a network that holds it", () => {
  const set = new CIDRSet("10.244.0.0/22", 24);
  set.occupy("10.0.0.0/8");
  assert.equal(set.allocate(), undefined);
});

test("CIDRSet does not give the last block out again at once", () => {
  const set = new CIDRSet("10.244.0.0/22", 24);
  set.release(set.allocate()!);
  assert.equal(set.allocate(), "10.244.1.0/24");
});

test("CIDRSet refuses a network that is no CIDR, smaller than a block, or too large", () => {
  assert.throws(() => new CIDRSet("pods", 24), /not a CIDR/);
  assert.throws(() => new CIDRSet("10.0.0.0/25", 24), /smaller/);
  assert.throws(() => new CIDRSet("fd00::/16", 64), /too large/);
});
