import assert from "node:assert/strict";
import { test } from "node:test";
import { schemas } from "../../api/schema/schemas.ts";
import { definitionSchema, type Form } from "./definitions.ts";

const DESCRIPTIONS = {
  "core.v1.Pod": { "": "Pod is a collection of containers.", kind: "Kind of it." },
  "core.v1.PodSpec": { "": "PodSpec is a description of a pod." },
};

function describedAs(form: Form, field: string): unknown {
  const { properties } = definitionSchema(schemas.definition("core.v1.Pod"), form, DESCRIPTIONS, () => {});
  return (properties as Record<string, { description?: string }>)[field]?.description;
}

test("a field without a text of its own says in version 3 what its definition says of itself", () => {
  assert.equal(describedAs(3, "spec"), "PodSpec is a description of a pod.");
  assert.equal(describedAs(3, "kind"), "Kind of it.");
  assert.equal(describedAs(3, "status"), undefined, "of which nothing is known");
  assert.equal(describedAs(2, "spec"), undefined, "it stands in the definition, beside which nothing counts");
});
