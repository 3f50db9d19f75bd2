import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldPath } from "./path.ts";

test("FieldPath prints names, indexes and keys", () => {
  const path = FieldPath.root("spec", "containers").index(0).child("resources", "limits").key("cpu");
  assert.equal(path.toString(), "spec.containers[0].resources.limits[cpu]");
});

test("FieldPath of the whole object prints brackets alone and nothing before a name", () => {
  assert.equal(FieldPath.root("").toString(), "[]");
  assert.equal(FieldPath.root("").child("data").toString(), "data");
});
