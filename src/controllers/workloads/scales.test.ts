import assert from "node:assert/strict";
import { test } from "node:test";
import { openClient } from "../../client/client.ts";
import type { Transport, TransportRequest } from "../../client/transport.ts";
import { Scales } from "./scales.ts";

const encoder = new TextEncoder();
const headers = { "content-type": "application/json" };

/** A server of one kind that users made, of which there is `f`; it tells what it was asked. */
function setUp() {
  const asked: string[] = [];
  const resources = [
    { resource: "fleets", responseKind: { kind: "Fleet" }, scope: "Namespaced", verbs: [] },
    { resource: "rocks", responseKind: { kind: "Rock" }, scope: "Namespaced", verbs: [] },
  ];
  const discovery = {
    items: [{ metadata: { name: "example.com" }, versions: [{ version: "v1", resources }] }],
  };
  const base = "/apis/example.com/v1/namespaces/ns";
  const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "f", namespace: "ns" } };
  const answers = new Map<string, unknown>([
    ["GET /api", { items: [] }],
    ["GET /apis", discovery],
    [`GET ${base}/fleets/f/scale`, { ...scale, spec: { replicas: 4 } }],
    [`PUT ${base}/fleets/f/scale`, scale],
  ]);
  const request = async ({ method, path, body }: TransportRequest) => {
    asked.push(`${method} ${path}${body === undefined ? "" : ` ${body}`}`);
    const answer = answers.get(`${method} ${path}`);
    if (answer !== undefined) return { status: 200, headers, body: encoder.encode(JSON.stringify(answer)) };
    const details = path.includes("/fleets/") ? { name: path.split("/").at(-2) } : {};
    const status = { kind: "Status", reason: "NotFound", code: 404, message: "not found", details };
    return { status: 404, headers, body: encoder.encode(JSON.stringify(status)) };
  };
  const transport = { request } as unknown as Transport;
  return { scales: new Scales(openClient(transport)), asked, base };
}

test("a kind that users made is found by discovery once, and scaled", async () => {
  const { scales, asked, base } = setUp();
  const reference = { apiVersion: "example.com/v1", kind: "Fleet", name: "f" };
  const found = await scales.get(reference, "ns");
  assert.equal(found?.scale.spec?.replicas, 4);
  await scales.set(found!, 7);
  assert.match(asked.at(-1)!, /^PUT .*\/fleets\/f\/scale \{.*"spec":\{"replicas":7\}\}$/);
  asked.length = 0;
  await scales.get(reference, "ns");
  assert.deepEqual(asked, [`GET ${base}/fleets/f/scale`]);
});

test("an object that is missing is told from a kind that cannot be scaled, and from one that is not served", async () => {
  const { scales } = setUp();
  const apiVersion = "example.com/v1";
  assert.equal(await scales.get({ apiVersion, kind: "Fleet", name: "other" }, "ns"), undefined);
  await assert.rejects(scales.get({ apiVersion, kind: "Rock", name: "r" }, "ns"), {
    message: "rocks.example.com does not implement the scale subresource",
  });
  await assert.rejects(scales.get({ apiVersion, kind: "Ghost", name: "g" }, "ns"), {
    message: 'no matches for kind "Ghost" in group "example.com"',
  });
});
