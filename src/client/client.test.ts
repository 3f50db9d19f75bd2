import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../api/core/config-map.ts";
import { Namespace } from "../api/core/namespace.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import { openClient } from "./client.ts";
import { FakeServer } from "./testing/fake-server.ts";
import { TransportError } from "./transport.ts";
import { InProcessTransport } from "./transports/in-process-transport.ts";
import { LineReader } from "./watch-events.ts";

function setUp() {
  const server = new FakeServer();
  const client = openClient(new InProcessTransport(server.dispatch), { userAgent: "tests/1" });
  const asked = () => {
    const { method, url, body } = server.requests.at(-1)!;
    return `${method} ${url}${body === undefined ? "" : ` ${body}`}`;
  };
  return { server, client, asked };
}

test("a client asks for each verb by its path, query and body", async () => {
  const { client, asked, server } = setUp();
  const maps = client.resource(ConfigMap, "ns");
  await maps.create({ metadata: { name: "a" } }, { dryRun: true });
  assert.equal(
    asked(),
    'POST /api/v1/namespaces/ns/configmaps?dryRun=All {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
  );
  await maps.update({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "other" } });
  assert.match(asked(), /^PUT \/api\/v1\/namespaces\/other\/configmaps\/a /);
  await maps.patch("a", [{ op: "remove", path: "/data" }], { type: "json", fieldManager: "m n" });
  assert.equal(
    asked(),
    'PATCH /api/v1/namespaces/ns/configmaps/a?fieldManager=m%20n [{"op":"remove","path":"/data"}]',
  );
  assert.equal(server.requests.at(-1)?.headers["content-type"], "application/json-patch+json");
  await maps.apply({ metadata: { name: "a" }, data: {} }, { fieldManager: "m", force: true });
  assert.match(asked(), /^PATCH .*\/a\?fieldManager=m&force=true \{"apiVersion":"v1","kind":"ConfigMap",/);
  assert.equal(server.requests.at(-1)?.headers["content-type"], "application/apply-patch+yaml");
  await maps.delete("a");
  assert.equal(asked(), "DELETE /api/v1/namespaces/ns/configmaps/a");
  await maps.delete("a", { propagationPolicy: "Foreground", preconditions: { uid: "u" } });
  assert.match(asked(), /"propagationPolicy":"Foreground","preconditions":\{"uid":"u"\}/);
  assert.equal(await maps.delete("a", { unread: true }), undefined);
  assert.equal(asked(), "DELETE /api/v1/namespaces/ns/configmaps/a");
  await maps.deleteCollection({ labelSelector: "a in (b)" });
  assert.equal(asked(), "DELETE /api/v1/namespaces/ns/configmaps?labelSelector=a%20in%20(b)");
  await client.resource(Namespace, "ignored").updateStatus({ metadata: { name: "n" } });
  assert.match(asked(), /^PUT \/api\/v1\/namespaces\/n\/status /);
  const kind = {
    group: "example.com",
    version: "v2",
    kind: "Foo",
    plural: "foos",
    scope: "Namespaced",
  } as const;
  await client.resource(kind, "ns").createSubresource("a/b", "scale", {});
  assert.equal(asked(), "POST /apis/example.com/v2/namespaces/ns/foos/a%2Fb/scale {}");
  assert.equal(server.requests.at(-1)?.headers["user-agent"], "tests/1");
});

test("a client lists all namespaces where none is chosen, and names what a list leaves out", async () => {
  const { client, server, asked } = setUp();
  server.put("a", "1");
  const { items, metadata } = await client.resource(ConfigMap).list({ fieldSelector: "metadata.name=a" });
  assert.equal(asked(), "GET /api/v1/configmaps?fieldSelector=metadata.name%3Da");
  assert.deepEqual([items[0]?.kind, items[0]?.apiVersion], ["ConfigMap", "v1"]);
  assert.equal(metadata.resourceVersion, "101");
});

test("a client refuses by itself to ask for an object without a name or a namespace", () => {
  const { client, server } = setUp();
  assert.throws(() => client.resource(ConfigMap, "ns").get(""), TypeError);
  assert.throws(() => client.resource(ConfigMap).get("a"), /choose one/);
  assert.equal(server.requests.length, 0);
});

test("a client throws the Status that the server answered", async () => {
  const { client, server } = setUp();
  const details = { name: "a", kind: "configmaps", causes: [{ field: "data", message: "no" }] };
  const status = { kind: "Status", reason: "Invalid", message: "is invalid", code: 422, details };
  server.refusal = { status: 422, body: JSON.stringify(status) };
  await assert.rejects(client.resource(ConfigMap, "ns").get("a"), (error: unknown) => {
    assert.ok(error instanceof StatusError);
    assert.deepEqual([error.reason, error.code, error.message], ["Invalid", 422, "is invalid"]);
    assert.deepEqual(error.details, details);
    return true;
  });
  server.refusal = { status: 502, body: "<html>bad gateway</html>" };
  await assert.rejects(client.request({ method: "GET", path: "/version" }), {
    code: 502,
    message: /bad gateway/,
  });
  const watching = client.resource(ConfigMap).watch()[Symbol.asyncIterator]().next();
  await assert.rejects(watching, { code: 502 });
});

test("a watch ends without an error when its signal is aborted or the loop is left", async () => {
  const { client, server } = setUp();
  const controller = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { type, object } of client.resource(ConfigMap).watch({ signal: controller.signal })) {
      seen.push(`${type} ${object.metadata.name}`);
      if (seen.length === 2) controller.abort();
    }
  })();
  server.put("a", "1");
  server.put("a", "2");
  await watching;
  assert.deepEqual(seen, ["ADDED a", "MODIFIED a"]);
  for await (const _ of client.resource(ConfigMap).watch({ sendInitialEvents: true })) break;
  assert.equal(server.watching, 0);
});

test("a client that is closed refuses requests and ends watches", async () => {
  const { client, server } = setUp();
  const next = client.resource(ConfigMap).watch()[Symbol.asyncIterator]().next();
  await client.close();
  assert.equal((await next).done, true);
  await assert.rejects(client.resource(ConfigMap).list(), TransportError);
  assert.equal(server.watching, 0);
});

test("lines are put together again wherever they were cut, and half a line at the end is dropped", () => {
  const bytes = new TextEncoder().encode('{"ü":1}\n\n{"b":"→"}\n{"half');
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new LineReader();
    const seen: string[] = [];
    for (let at = 0; at < bytes.length; at += size) seen.push(...reader.read(bytes.subarray(at, at + size)));
    assert.deepEqual(seen, ['{"ü":1}', '{"b":"→"}'], `pieces of ${size}`);
  }
});
