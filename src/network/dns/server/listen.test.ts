import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock, VirtualClock } from "../../../base/clock.ts";
import { type ListenOptions, listen } from "./listen.ts";

async function serving(t: TestContext, options: Partial<ListenOptions> = {}): Promise<number> {
  const listening = await listen({
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    mayAsk: () => true,
    respond: (message, protocol) => Buffer.from(`${protocol} ${Buffer.from(message)}`),
    ...options,
  });
  t.after(() => listening.close());
  return listening.port;
}

const framed = (text: string): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
};

async function opened(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** The next so many messages. */
async function messages(socket: Socket, count: number): Promise<string[]> {
  const found: string[] = [];
  let got = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    got = Buffer.concat([got, chunk as Buffer]);
    while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
      found.push(got.subarray(2, 2 + got.readUInt16BE(0)).toString());
      got = got.subarray(2 + got.readUInt16BE(0));
    }
    if (found.length >= count) break;
  }
  return found;
}

test("UDP and TCP of one port are answered, at once or later", async (t) => {
  const port = await serving(t, {
    respond: async (message, protocol) => Buffer.from(`${protocol} ${Buffer.from(message)}`),
  });
  const udp = createSocket("udp4");
  t.after(() => udp.close());
  udp.send("a", port, "127.0.0.1");
  const [answer] = (await once(udp, "message")) as [Buffer];
  assert.equal(answer.toString(), "udp a");
  const tcp = await opened(t, port);
  tcp.write(framed("b"));
  assert.deepEqual(await messages(tcp, 1), ["tcp b"]);
});

test("messages over TCP may come in pieces, and many at once", async (t) => {
  const tcp = await opened(t, await serving(t));
  tcp.setNoDelay(true);
  const all = Buffer.concat(Array.from({ length: 300 }, (_, i) => framed(`question ${i}`)));
  for (let at = 0; at < all.length; at += 7) tcp.write(all.subarray(at, at + 7));
  assert.deepEqual(
    await messages(tcp, 300),
    Array.from({ length: 300 }, (_, i) => `tcp question ${i}`),
  );
});

test("a client that sends faster than it is answered is slowed down, and loses nothing", async (t) => {
  const waiting: (() => void)[] = [];
  const port = await serving(t, {
    respond: (message) => new Promise((resolve) => waiting.push(() => resolve(Buffer.from(message)))),
  });
  const tcp = await opened(t, port);
  tcp.write(Buffer.concat(Array.from({ length: 5000 }, (_, i) => framed(String(i)))));
  const answered = messages(tcp, 5000);
  const release = setInterval(() => {
    for (const answer of waiting.splice(0)) answer();
  }, 1);
  t.after(() => clearInterval(release));
  assert.equal(new Set(await answered).size, 5000);
});

test("what gets no answer gets none, and the connection goes on", async (t) => {
  const port = await serving(t, {
    respond: (message) => (message.length === 0 ? undefined : Buffer.from(message)),
  });
  const tcp = await opened(t, port);
  tcp.write(Buffer.concat([framed(""), framed("x")]));
  assert.deepEqual(await messages(tcp, 1), ["x"]);
});

test("a connection that is silent is closed, whatever it began to say", async (t) => {
  const clock = new VirtualClock();
  const tcp = await opened(t, await serving(t, { clock }));
  tcp.write(framed("x"));
  await messages(tcp, 1);
  tcp.write(Buffer.from([0, 9, 1]));
  tcp.on("error", () => {});
  const closed = new Promise((resolve) => tcp.once("close", resolve));
  tcp.resume();
  clock.advance(10_000);
  await closed;
});

test("who may not ask hears nothing", async (t) => {
  const asked: string[] = [];
  const port = await serving(t, {
    mayAsk: () => false,
    respond: (message) => {
      asked.push(Buffer.from(message).toString());
      return undefined;
    },
  });
  const tcp = connect(port, "127.0.0.1");
  tcp.on("error", () => {});
  tcp.write(framed("x"));
  tcp.resume();
  await new Promise((resolve) => tcp.once("close", resolve));
  assert.deepEqual(asked, []);
});

test("a port that is taken is told of, and nothing stays open", async (t) => {
  const udp = createSocket("udp4");
  t.after(() => udp.close());
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const { port } = udp.address();
  await assert.rejects(serving(t, { port }), { code: "EADDRINUSE" });
  const tcp = connect(port, "127.0.0.1");
  await assert.rejects(once(tcp, "connect"), { code: "ECONNREFUSED" });
});
