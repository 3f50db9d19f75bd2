/** exec by WebSocket with v5.channel.k8s.io, towards a kubelet that the test speaks for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { Pod } from "../../../src/api/core/pod/pod.ts";
import { controlFrame, dataHead, FRAME, FrameReader, pingFrame } from "../../../src/host/spdy/frames.ts";
import { type ControlPlane, NODE, startControlPlane } from "./control-plane.ts";
import { type Connection, openWebSocket } from "./websocket-client.ts";

const PATH = "/api/v1/namespaces/default/pods/web/exec?command=cat&stdin=1&stdout=1&stderr=1";
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 };
/** The numbers of the streams, in the order in which they are opened. */
const STREAM = { error: 1, stdin: 3, stdout: 5, stderr: 7 };
const SUCCESS = '{"metadata":{},"status":"Success"}';

/** The kubelet's side of one connection. */
class Backend {
  readonly socket: Duplex;
  opened = 0;
  received = "";
  ended: number[] = [];
  pongs: number[] = [];
  #look = (): void => {};

  constructor(socket: Duplex) {
    this.socket = socket;
    const frames = new FrameReader({
      data: (stream, part, fin) => {
        this.received += part;
        if (fin) this.ended.push(stream);
        this.#look();
      },
      control: (type, _flags, body) => {
        if (type === FRAME.synStream) this.opened++;
        if (type === FRAME.ping) this.pongs.push(body.readUInt32BE(0));
        this.#look();
      },
    });
    socket.on("data", (chunk: Buffer) => frames.read(chunk));
    socket.on("error", () => {});
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  send(stream: number, data: string | Buffer, fin = false): boolean {
    const bytes = Buffer.from(data);
    this.socket.write(dataHead(stream, bytes.length, fin));
    return this.socket.write(bytes);
  }
}

interface Session {
  plane: ControlPlane;
  client: Connection;
  backend: Backend;
}

type Upgraded = (incoming: IncomingMessage, socket: Duplex) => void;

async function kubelet(t: TestContext, upgraded: Upgraded): Promise<ControlPlane> {
  const plane = await startControlPlane(t);
  const server = createServer(plane.kubeletCertificate());
  server.on("upgrade", upgraded);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  await plane.createNode(NODE, (server.address() as AddressInfo).port);
  const spec = { nodeName: NODE, containers: [{ name: "main", image: "app:1" }] };
  await plane.client.resource(Pod, "default").create({ metadata: { name: "web" }, spec });
  return plane;
}

function agree(socket: Duplex): Backend {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
  return new Backend(socket);
}

function open(plane: ControlPlane): Promise<Connection> {
  return openWebSocket(plane, PATH, { protocols: ["v5.channel.k8s.io", "v4.channel.k8s.io"] });
}

async function session(t: TestContext): Promise<Session> {
  const begun = Promise.withResolvers<Backend>();
  const plane = await kubelet(t, (incoming, socket) => {
    assert.equal(incoming.method, "POST");
    assert.equal(incoming.url, "/exec/default/web/main?input=1&output=1&error=1&command=cat");
    assert.equal(incoming.headers["x-stream-protocol-version"], "v4.channel.k8s.io");
    begun.resolve(agree(socket));
  });
  const client = await open(plane);
  assert.equal(client.protocol, "v5.channel.k8s.io");
  assert.deepEqual(await client.next(), Buffer.from([CHANNEL.stdout]), "the client is told that it is heard");
  return { plane, client, backend: await begun.promise };
}

test("channels become streams and streams channels, to the status at the end", async (t) => {
  const { client, backend } = await session(t);
  await backend.until(() => backend.opened === 4);
  client.send(CHANNEL.stdin, "in");
  await backend.until(() => backend.received === "in");
  client.send(CHANNEL.close, Buffer.from([CHANNEL.stdin]));
  await backend.until(() => backend.ended.includes(STREAM.stdin));
  backend.socket.write(pingFrame(2));
  await backend.until(() => backend.pongs.includes(2));
  backend.send(STREAM.stdout, "out");
  backend.send(STREAM.stderr, "wrong", true);
  backend.send(STREAM.stdout, "", true);
  backend.send(STREAM.error, SUCCESS, true);
  const rest = await client.rest();
  assert.deepEqual([...rest.keys()].sort(), [CHANNEL.stdout, CHANNEL.stderr, CHANNEL.error]);
  assert.equal(rest.get(CHANNEL.stdout), "out");
  assert.equal(rest.get(CHANNEL.stderr), "wrong");
  assert.equal(rest.get(CHANNEL.error), SUCCESS);
});

test("a stream that is reset has ended", async (t) => {
  const { client, backend } = await session(t);
  for (const stream of [STREAM.stdout, STREAM.stderr]) {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(stream, 0);
    body.writeUInt32BE(1, 4);
    backend.socket.write(controlFrame(FRAME.rstStream, 0, body));
  }
  backend.send(STREAM.error, SUCCESS, true);
  assert.equal((await client.rest()).get(CHANNEL.error), SUCCESS);
});

test("a client that leaves takes the connection to the kubelet with it", async (t) => {
  const { client, backend } = await session(t);
  const gone = once(backend.socket, "close");
  client.raw.destroy();
  await gone;
});

test("a kubelet that is lost is told of as an error", async (t) => {
  const { client, backend } = await session(t);
  backend.send(STREAM.stdout, "half");
  backend.socket.end();
  const rest = await client.rest();
  assert.equal(rest.get(CHANNEL.stdout), "half");
  const status = JSON.parse(rest.get(CHANNEL.error) ?? "{}");
  assert.equal(status.status, "Failure");
  assert.equal(status.message, "Internal error occurred: the connection to the node was lost");
});

test("what speaks another protocol is cut off", async (t) => {
  const { client, backend } = await session(t);
  backend.socket.write("\x80\x02HTTP/1.1 200 OK\r\n\r\n");
  assert.equal(JSON.parse((await client.rest()).get(CHANNEL.error) ?? "{}").status, "Failure");
});

test("a refusal of the kubelet comes on the error channel, in upstream's words", async (t) => {
  const plane = await kubelet(t, (_incoming, socket) => {
    const text = 'container not found ("main")';
    socket.end(`HTTP/1.1 500 Internal Server Error\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  const status = JSON.parse((await (await open(plane)).rest()).get(CHANNEL.error) ?? "{}");
  assert.equal(
    status.message,
    'Internal error occurred: unable to upgrade connection: container not found ("main")',
  );
  assert.equal(status.reason, "InternalError");
  assert.equal(status.code, 500);
});

test("what a client sends before the kubelet is there reaches it in order", async (t) => {
  const asked = Promise.withResolvers<Duplex>();
  const plane = await kubelet(t, (_incoming, socket) => asked.resolve(socket));
  const client = await open(plane);
  for (let i = 0; i < 10; i++) client.send(CHANNEL.stdin, `${i}`);
  client.send(CHANNEL.close, Buffer.from([CHANNEL.stdin]));
  const backend = agree(await asked.promise);
  await backend.until(() => backend.ended.includes(STREAM.stdin));
  assert.equal(backend.received, "0123456789");
});

const TOTAL = 48 * 1024 * 1024;
const MOST_BETWEEN = 24 * 1024 * 1024;

/** Lets whoever sends have all the turns that it could want. */
async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) await new Promise(setImmediate);
}

test("a client that takes nothing in holds the kubelet up, and loses nothing", async (t) => {
  const { client, backend } = await session(t);
  const block = Buffer.alloc(64 * 1024, 0x61);
  let sent = 0;
  const sending = (async () => {
    while (sent < TOTAL) {
      sent += block.length;
      if (!backend.send(STREAM.stdout, block)) await once(backend.socket, "drain");
    }
    for (const stream of [STREAM.stdout, STREAM.stderr]) backend.send(stream, "", true);
    backend.send(STREAM.error, SUCCESS, true);
  })();
  await manyTurns();
  assert.ok(sent < MOST_BETWEEN, `${sent >> 20} MiB were taken though nobody read`);
  let taken = 0;
  for (let payload = await client.next(); payload; payload = await client.next()) {
    if (payload[0] === CHANNEL.stdout) taken += payload.length - 1;
  }
  await sending;
  assert.equal(taken, TOTAL);
});

test("a kubelet that takes nothing in holds the client up, and loses nothing", async (t) => {
  const { client, backend } = await session(t);
  await backend.until(() => backend.opened === 4);
  backend.socket.pause();
  const block = Buffer.alloc(64 * 1024, 0x61);
  let sent = 0;
  const sending = (async () => {
    while (sent < TOTAL) {
      sent += block.length;
      if (!client.send(CHANNEL.stdin, block)) await once(client.raw, "drain");
    }
    client.send(CHANNEL.close, Buffer.from([CHANNEL.stdin]));
  })();
  await manyTurns();
  assert.ok(sent < MOST_BETWEEN, `${sent >> 20} MiB were taken though nobody read`);
  backend.socket.resume();
  await sending;
  await backend.until(() => backend.ended.includes(STREAM.stdin));
  assert.equal(backend.received.length, TOTAL);
});
