import assert from "node:assert/strict";
import { test } from "node:test";
import { Indexes } from "./indexes.ts";

test("indexes are written as runs, two as a list", () => {
  assert.equal(Indexes.of([7, 1, 3, 4, 5]).toString(), "1,3-5,7");
  assert.equal(Indexes.of([1, 0]).toString(), "0,1");
  assert.equal(Indexes.none.toString(), "");
});

test("indexes that are read keep to the job's", () => {
  const read = Indexes.parse("0,2-9,12", 6);
  assert.equal(read.toString(), "0,2-5");
  assert.equal(read.size, 5);
  assert.deepEqual(
    [0, 1, 2, 5, 6, 12].map((index) => read.has(index)),
    [true, false, true, true, false, false],
  );
  assert.equal(Indexes.parse(undefined, 6).size, 0);
});

test("indexes are joined and shared without being written out", () => {
  const many = Indexes.parse("0-999999999", 2 ** 31);
  assert.equal(many.union(Indexes.of([1_000_000_000, 5])).toString(), "0-1000000000");
  assert.equal(many.shared(Indexes.parse("5-7,999999999-1000000005", 2 ** 31)), 4);
  assert.deepEqual(many.firstMissing(2, 2 ** 31), [1_000_000_000, 1_000_000_001]);
});

test("the first missing indexes end at the limit", () => {
  const set = Indexes.of([0, 2, 3]);
  assert.deepEqual(set.firstMissing(10, 6), [1, 4, 5]);
  assert.deepEqual(set.firstMissing(1, 6), [1]);
  assert.deepEqual(set.firstMissing(10, 1), []);
});
