import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import * as net from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { messageOf, request, startHostile } from "./server-process.ts";

const server = await startHostile();
const COLLECTION = "/api/v1/namespaces/default/configmaps";
const JSON_BODY = { "content-type": "application/json" };
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Milliseconds; far above what a healthy server takes, for machines that do other things too. */
const SANE = 3000;
/** Milliseconds after which a connection that the server leaves open is taken to say no more. */
const SILENCE = 3000;

function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Writes `frames` again and again until it is enough, or the server ends the connection. */
async function flood(first: Buffer, frames: Buffer, enough: () => boolean): Promise<void> {
  const socket = await server.socket("h2");
  socket.setMaxListeners(0);
  let cut = false;
  socket.once("close", () => {
    cut = true;
  });
  socket.resume();
  socket.write(Buffer.concat([PREFACE, frame(4, 0, 0), first]));
  while (!cut && !enough()) {
    if (!socket.write(frames))
      await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
    else await new Promise(setImmediate);
  }
  socket.destroy();
}

function read(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

/** All that the server says until it closes the connection, or says no more. */
async function http1(text: string, silence = 0): Promise<string> {
  const socket = await server.socket("http/1.1");
  const answer = read(socket);
  socket.write(text);
  socket.setTimeout(silence, () => socket.destroy());
  return answer;
}

async function grown(act: () => Promise<void>): Promise<number> {
  const before = server.memory() ?? 0;
  await act();
  assert.ok((await server.latency()) < SANE);
  return (server.memory() ?? 0) - before;
}

test("half-sent bodies end without an object and without harm", async () => {
  const session = server.connect();
  for (let i = 0; i < 50; i++) {
    const stream = session.request({ ":method": "POST", ":path": COLLECTION, ...JSON_BODY });
    stream.on("error", () => {});
    stream.write(`{"metadata":{"name":"half${i}"}`);
    await new Promise(setImmediate);
    stream.close(i % 2 === 0 ? 8 : 0);
  }
  session.destroy();
  const socket = await server.socket("http/1.1");
  socket.end(
    `POST ${COLLECTION} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"metadata"`,
  );
  await read(socket);
  const { text } = await server.send("GET", COLLECTION);
  assert.ok(!text.includes('"half'), text.slice(0, 300));
});

test("a length that is a lie is refused, and so is a body without end", async () => {
  const session = server.connect();
  const lie = { ...JSON_BODY, "content-length": "5" };
  const answered = await request(session, "POST", COLLECTION, {
    headers: lie,
    body: '{"metadata":{"name":"liar"}}',
  }).then(
    ({ status }) => status,
    () => "cut",
  );
  assert.ok(answered === "cut" || answered === 400, String(answered));
  assert.equal((await server.send("GET", `${COLLECTION}/liar`)).status, 404);
  const stream = server.connect().request({ ":method": "POST", ":path": COLLECTION, ...JSON_BODY });
  stream.on("error", () => {});
  const [headers] = await Promise.race([once(stream, "response"), pour(stream)]);
  assert.equal(headers[":status"], 413);
  stream.resume();
  await once(stream, "close");
  session.destroy();
});

/** Writes until the stream is closed; never resolves by itself. */
function pour(stream: ClientHttp2Stream): Promise<never> {
  const chunk = Buffer.alloc(64 * 1024, 32);
  const more = (): void => {
    if (!stream.closed && !stream.destroyed) stream.write(chunk, () => setImmediate(more));
  };
  more();
  return new Promise(() => {});
}

test("twenty stalled watches on a connection leave room for new requests", async () => {
  const session = server.connect();
  await once(session, "connect");
  const watches: ClientHttp2Stream[] = [];
  for (let i = 0; i < 20; i++) {
    const stream = session.request({ ":path": `${COLLECTION}?watch=1` });
    stream.on("error", () => {});
    // Nobody reads what comes.
    stream.pause();
    await once(stream, "response");
    watches.push(stream);
  }
  const data = { a: "x".repeat(100_000) };
  const size = await grown(async () => {
    for (let i = 0; i < 60; i++) {
      const created = await server.json("POST", COLLECTION, { metadata: { name: `event-${i}` }, data });
      assert.equal(created.status, 201);
      const from = performance.now();
      assert.equal((await request(session, "GET", "/readyz")).status, 200);
      assert.ok(performance.now() - from < SANE);
    }
  });
  assert.ok(size < 250, `the process grew by ${Math.round(size)} MiB`);
  session.destroy();
});

test("lists that nobody reads are held in bounded memory", async () => {
  const session = server.connect();
  await once(session, "connect");
  const size = await grown(async () => {
    for (let i = 0; i < 40; i++) {
      const stream = session.request({ ":path": COLLECTION });
      stream.on("error", () => {});
      stream.pause();
      await once(stream, "response");
    }
  });
  assert.ok(size < 150, `the process grew by ${Math.round(size)} MiB`);
  session.destroy();
  assert.equal((await server.send("GET", COLLECTION)).status, 200);
});

test("50,000 streams opened and reset at once harm no other connection", async (t) => {
  const latencies: number[] = [];
  const size = await grown(async () => {
    let left = 50_000;
    const probing = (async () => {
      while (left > 0) latencies.push(await server.latency());
    })();
    while (left > 0) {
      const session = server.connect();
      await once(session, "connect");
      left -= await resets(session, Math.min(left, 5000));
      session.destroy();
    }
    await probing;
  });
  const worst = Math.max(...latencies);
  t.diagnostic(`another connection waited ${Math.round(worst)} ms at most`);
  assert.ok(worst < SANE, `another connection waited ${Math.round(worst)} ms`);
  assert.ok(latencies.length > 1, "another connection waited until it was over");
  assert.ok(size < 150, `the process grew by ${Math.round(size)} MiB`);
});

/** Opens and resets streams until the server has enough of it; how many were tried. */
async function resets(session: ClientHttp2Session, count: number): Promise<number> {
  for (let i = 0; i < count; i++) {
    if (session.closed || session.destroyed) break;
    try {
      const stream = session.request({ ":path": "/api/v1/namespaces/default/pods" });
      stream.on("error", () => {});
      stream.close(8);
    } catch {
      break;
    }
    if (i % 100 === 99) await new Promise(setImmediate);
  }
  return count;
}

test("floods of PING, SETTINGS, WINDOW_UPDATE and PRIORITY frames starve nobody", async (t) => {
  const floods: [string, Buffer][] = [
    ["PING", frame(6, 0, 0, Buffer.alloc(8))],
    ["SETTINGS", frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]))],
    ["WINDOW_UPDATE", frame(8, 0, 0, Buffer.from([0, 0, 0, 1]))],
    ["PRIORITY", frame(2, 0, 1, Buffer.from([0, 0, 0, 0, 1]))],
    ["an unknown type", frame(0x42, 0, 0, Buffer.alloc(8))],
  ];
  for (const [name, one] of floods) {
    const frames = Buffer.concat(Array.from({ length: 500 }, () => one));
    const latencies: number[] = [];
    const size = await grown(async () => {
      const least = performance.now() + 1000;
      // It goes on for as long as others wait.
      const flooding = flood(
        Buffer.alloc(0),
        frames,
        () => latencies.length === 3 && performance.now() > least,
      );
      const probe = async (): Promise<void> => void latencies.push(await server.latency());
      await Promise.all([flooding, probe(), probe(), probe()]);
    });
    const worst = Math.max(...latencies);
    t.diagnostic(`${name}: another connection waited ${Math.round(worst)} ms at most`);
    assert.ok(worst < SANE, `${name}: another connection waited ${Math.round(worst)} ms`);
    assert.ok(size < 100, `${name}: the process grew by ${Math.round(size)} MiB`);
  }
});

test("frames that break the protocol end the connection and nothing else", {
  timeout: 120_000,
}, async (t) => {
  const headers = frame(1, 0, 1, Buffer.from([0x82, 0x84, 0x87]));
  const breaches: [string, Buffer, Buffer][] = [
    ["endless CONTINUATION", headers, frame(9, 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62]))],
    ["a window beyond 2^31", Buffer.alloc(0), frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    ["DATA on a stream that is none", Buffer.alloc(0), frame(0, 0, 1, Buffer.alloc(10))],
    ["a header block that is none", Buffer.alloc(0), frame(1, 4, 1, Buffer.alloc(20, 0xff))],
    ["a frame larger than allowed", Buffer.alloc(0), frame(0, 0, 1, Buffer.alloc(17_000))],
    ["an even stream", Buffer.alloc(0), frame(1, 5, 2, Buffer.from([0x82, 0x84, 0x87]))],
  ];
  for (const [name, first, again] of breaches) {
    t.diagnostic(name);
    const took = await server.effort(() => flood(first, again, () => false));
    assert.ok(took === undefined || took < SANE, `${name}: the connection stays for ${took} ms`);
  }
  assert.ok((await server.latency()) < SANE);
});

test("headers beyond what the server takes are refused over HTTP/1.1 and HTTP/2", async () => {
  const huge = "x".repeat(2 * 1024 * 1024);
  const old = await http1(`GET /readyz HTTP/1.1\r\nHost: x\r\nX-Large: ${huge}\r\n\r\n`);
  assert.match(old, /^HTTP\/1\.1 4(00|31) /);
  const many = Array.from({ length: 3000 }, (_, i) => `x-${i}`);
  const session = server.connect();
  const headers = Object.fromEntries(many.map((name) => [name, "1"]));
  const answered = await request(session, "GET", "/readyz", { headers }).then(
    ({ status }) => status,
    () => "cut",
  );
  assert.ok(answered === "cut" || answered === 431 || answered === 200, String(answered));
  session.destroy();
  assert.ok((await server.latency()) < SANE);
});

test("requests that two servers would read differently are refused", async () => {
  const head = "POST /readyz HTTP/1.1\r\nHost: x\r\n";
  const inner = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
  const shapes = [
    `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${inner}`,
    `${head}Content-Length: +0\r\n\r\n${inner}`,
    "GET /readyz HTTP/1.1\nHost: x\n\n",
    "GET /readyz HTTP/9.9\r\nHost: x\r\n\r\n",
    "\u0000\u0001\u0002 garbage\r\n\r\n",
  ];
  for (const shape of shapes) {
    const answer = await http1(shape);
    assert.ok(!answer.includes('"gitVersion"'), `${JSON.stringify(shape)} reached the inner request`);
    assert.match(answer.slice(0, 12), /^(HTTP\/1\.1 4)?/, shape);
    assert.ok(!answer.startsWith("HTTP/1.1 2"), `${JSON.stringify(shape)}: ${answer.slice(0, 60)}`);
  }
});

test("pipelined requests are answered in their order", async () => {
  const close = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const answer = await http1(`${"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20)}${close}`);
  assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 21);
  assert.ok(answer.indexOf('"gitVersion"') > answer.lastIndexOf("\r\n\r\nok"));
});

test("upgrades that nothing serves are refused and nothing passes behind them", async () => {
  for (const protocol of ["websocket", "SPDY/3.1", "h2c"]) {
    const upgrade = `GET ${COLLECTION} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`;
    const answer = await http1(`${upgrade}GET /version HTTP/1.1\r\nHost: x\r\n\r\n`, SILENCE);
    assert.ok(!answer.startsWith("HTTP/1.1 101"), protocol);
    assert.ok(!answer.includes('"gitVersion"'), protocol);
  }
});

test("500 idle connections, garbage instead of TLS and handshakes that stop cost little", async () => {
  const sockets: (TLSSocket | net.Socket)[] = [];
  const size = await grown(async () => {
    for (let i = 0; i < 10; i++) {
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => server.socket("h2")))));
    }
    for (let i = 0; i < 200; i++) {
      const socket = net.connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      sockets.push(socket);
      const half = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
      socket.write(i % 2 === 0 ? half : Buffer.alloc(300, i));
    }
  });
  assert.ok(size < 200, `the process grew by ${Math.round(size)} MiB`);
  for (const socket of sockets) socket.destroy();
});

test("a client without credentials does not keep its HTTP/2 connection", async () => {
  const session = server.connect("nobody");
  const closed = once(session, "close");
  const refused = await request(session, "GET", COLLECTION);
  assert.equal(refused.status, 401);
  assert.equal(messageOf(refused), "Unauthorized");
  await closed;
  assert.ok(session.closed);
});

test("the server serves on, and has met no bug", async () => {
  assert.equal((await server.send("GET", COLLECTION)).status, 200);
  assert.deepEqual(server.bugs, []);
});
