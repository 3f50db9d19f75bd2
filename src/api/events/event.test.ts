import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { RequestContext } from "../resource.ts";
import { Event } from "./event.ts";

const full = new URL(
  "../../../../shared/reference/api-testdata/events.k8s.io.v1.Event.json",
  import.meta.url,
);
const skip = existsSync(full) ? false : "the reference data is not beside the checkout";

test("Event keeps every field between its two group versions", { skip }, () => {
  const [alternate] = Event.alternates;
  assert.ok(alternate);
  const served = JSON.parse(readFileSync(full, "utf8"));
  const stored = alternate.toStored(served);
  assert.equal(stored.message, served.note);
  assert.equal(stored.involvedObject.name, served.regarding.name);
  assert.deepEqual(alternate.fromStored(stored), served);
});

test("Event must live beside its object, or in default where that has no namespace", () => {
  const event = (namespace: string, of?: string): Event => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "e", namespace },
    involvedObject: { namespace: of },
  });
  const said = (e: Event) => Event.validate?.(e, {} as RequestContext).map(({ body }) => body);
  assert.deepEqual(said(event("a", "a")), []);
  assert.deepEqual(said(event("default")), []);
  assert.deepEqual(said(event("a", "b")), ['Invalid value: "b": does not match event.namespace']);
  assert.deepEqual(said(event("a")), ['Invalid value: "": does not match event.namespace']);
});
