/** What the wire adds: TLS, client certificates, HTTP/1.1 beside HTTP/2, HEAD, and clients that do not keep up. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type RunningServer, serve } from "../../../src/apiserver/http/server.ts";
import {
  configMap,
  type Event,
  NAMESPACED,
  type Shown,
  startTestServer,
  type TestServer,
} from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const TOKEN = { authorization: "Bearer admin-token" };

let server: TestServer;
let running: RunningServer;
before(async () => {
  server = await startTestServer();
  const { apiserver, ca, frontProxyCA } = server.pki;
  running = await serve({
    host: "127.0.0.1",
    port: 0,
    certificates: {
      cert: apiserver.certificate,
      key: apiserver.key,
      clientCA: [ca.certificate, frontProxyCA.certificate],
    },
    handler: server.api.handler,
  });
});
after(async () => {
  await running.close(0);
  await server[Symbol.asyncDispose]();
});

interface Wire {
  code: number;
  headers: Record<string, unknown>;
  bytes: Buffer;
}

const shown = ({ bytes }: Wire): Shown => JSON.parse(bytes.toString()) as Shown;

function session(options: { cert?: string; key?: string } = {}): ClientHttp2Session {
  return connect(`https://127.0.0.1:${running.port}`, { ca: server.pki.ca.certificate, ...options });
}

async function answerOf(stream: ClientHttp2Stream): Promise<Wire> {
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { code: Number(headers[":status"]), headers, bytes: Buffer.concat(chunks) };
}

async function over2(
  client: ClientHttp2Session,
  method: string,
  path: string,
  headers: Record<string, string> = TOKEN,
  body?: string,
): Promise<Wire> {
  const stream = client.request({ ":method": method, ":path": path, ...headers });
  stream.end(body);
  return await answerOf(stream);
}

async function over1(method: string, path: string, headers: Record<string, string> = TOKEN): Promise<Wire> {
  const { ca } = server.pki;
  const request = httpsRequest({
    host: "127.0.0.1",
    port: running.port,
    method,
    path,
    headers,
    ca: ca.certificate,
  });
  request.end();
  const [response] = await once(request, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { code: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) };
}

describe("HTTPS", () => {
  test("gives the same over HTTP/1.1 and HTTP/2", async () => {
    await server.create(MAPS, configMap("wire"));
    const client = session();
    for (const path of [`${MAPS}/wire`, MAPS, "/nowhere", "/healthz"]) {
      const [one, two] = [await over1("GET", path), await over2(client, "GET", path)];
      assert.equal(one.code, two.code);
      assert.deepEqual(one.bytes, two.bytes);
      assert.equal(one.headers["content-type"], two.headers["content-type"]);
      assert.match(String(two.headers["audit-id"]), /^[0-9a-f-]{36}$/);
      assert.equal(two.headers["cache-control"], "no-cache, private");
    }
    client.close();
  });

  test("answers HEAD with headers alone", async () => {
    const client = session();
    for (const { code, bytes, headers } of [
      await over1("HEAD", `${MAPS}/wire`),
      await over2(client, "HEAD", `${MAPS}/wire`),
    ]) {
      assert.deepEqual([code, bytes.length, headers["content-type"]], [200, 0, "application/json"]);
    }
    client.close();
  });

  test("knows a client by its certificate, and refuses one of another authority", async () => {
    const review = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}';
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const headers = { "content-type": "application/json" };
    const { admin, frontProxyClient } = server.pki;
    const client = session({ cert: admin.certificate, key: admin.key });
    const who = await over2(client, "POST", path, headers, review);
    assert.equal(who.code, 201);
    const { userInfo } = shown(who).status as { userInfo: { username: string } };
    assert.equal(userInfo.username, "kubernetes-admin");
    client.close();
    const stranger = session({ cert: frontProxyClient.certificate, key: frontProxyClient.key });
    assert.equal((await over2(stranger, "POST", path, headers, review)).code, 401);
    stranger.close();
  });

  test("compresses what is large for who takes it", async () => {
    const big = "y".repeat(300_000);
    for (const name of ["big-1", "big-2"])
      await server.create(MAPS, configMap(name, { data: { big } }, { big: "1" }));
    const client = session();
    const path = `${MAPS}?labelSelector=big`;
    const plain = await over2(client, "GET", path);
    const packed = await over2(client, "GET", path, { ...TOKEN, "accept-encoding": "gzip" });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.deepEqual(gunzipSync(packed.bytes), plain.bytes);
    client.close();
  });
});

/** Events of a watch as they come over the wire. */
async function* eventsOf(stream: ClientHttp2Stream): AsyncGenerator<Event> {
  let tail = "";
  for await (const chunk of stream) {
    tail += (chunk as Buffer).toString("latin1");
    const lines = tail.split("\n");
    tail = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as Event;
  }
}

describe("a watch over HTTP/2", () => {
  test("is cut off when its client does not read, while others of the same connection go on", async () => {
    const client = session();
    const path = `${MAPS}?watch=true&labelSelector=flood&resourceVersion=${await server.store.current()}`;
    const slow = client.request({ ":path": path, ...TOKEN });
    const failed = once(slow, "error").catch((error: unknown) => [error]);
    await once(slow, "response");
    slow.pause();
    const fast = client.request({ ":path": path, ...TOKEN });
    await once(fast, "response");
    const events = eventsOf(fast);
    const big = "z".repeat(700_000);
    for (let i = 0; i < 24; i++) {
      await server.create(MAPS, configMap(`flood-${i}`, { data: { big } }, { flood: "1" }));
      const { value } = await events.next();
      assert.equal((value as Event).object.metadata.name, `flood-${i}`);
    }
    const [error] = await failed;
    assert.match(String(error), /NGHTTP2_INTERNAL_ERROR/);
    assert.equal((await over2(client, "GET", `${MAPS}/flood-23`)).code, 200);
    fast.close();
    await once(fast, "close");
    // An answer on the same connection says that the server has seen the end of the watch.
    await over2(client, "GET", "/healthz");
    client.close();
  });

  test("that is closed by its client leaves no watcher behind", async () => {
    const client = session();
    const cache = server.api.registry.cache.cache(server.api.routes.find("", "v1", "configmaps")!.resource);
    const before = cache.watchers.size;
    const streams = Array.from({ length: 100 }, () =>
      client.request({ ":path": `${MAPS}?watch=true&resourceVersion=0&labelSelector=none`, ...TOKEN }),
    );
    await Promise.all(streams.map((stream) => once(stream, "response")));
    await over2(client, "GET", "/healthz");
    assert.equal(cache.watchers.size, before + 100);
    for (const stream of streams) stream.close();
    await Promise.all(streams.map((stream) => once(stream, "close")));
    await over2(client, "GET", "/healthz");
    assert.equal(cache.watchers.size, before);
    client.close();
  });
});
