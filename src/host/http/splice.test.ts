import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { endToEndHeaders } from "./headers.ts";
import { splice } from "./splice.ts";

/** Two connections over a proxy in the middle: what a client has, and what the server behind it has. */
async function spliced(t: TestContext): Promise<{ client: Socket; backend: Socket; closed: Promise<void> }> {
  const behind = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => behind.listen(0, "127.0.0.1", resolve));
  const accepted = once(behind, "connection");
  let over = (): void => {};
  const closed = new Promise<void>((resolve) => {
    over = resolve;
  });
  const front = createServer({ allowHalfOpen: true }, (socket) => {
    const onward = connect((behind.address() as { port: number }).port, "127.0.0.1");
    onward.once("connect", () => splice(socket, onward, over));
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    behind.close();
    front.close();
  });
  const client = connect({
    port: (front.address() as { port: number }).port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  const [backend] = (await accepted) as [Socket];
  t.after(() => {
    client.destroy();
    backend.destroy();
  });
  return { client, backend, closed };
}

test("spliced connections carry bytes both ways and end together", async (t) => {
  const { client, backend, closed } = await spliced(t);
  client.write("to");
  assert.equal(String((await once(backend, "data"))[0]), "to");
  backend.write("fro");
  assert.equal(String((await once(client, "data"))[0]), "fro");
  client.end("last");
  assert.equal(String((await once(backend, "data"))[0]), "last");
  await once(backend, "end");
  backend.end("words");
  assert.equal(String((await once(client, "data"))[0]), "words");
  await closed;
});

test("a connection that breaks takes the other with it", async (t) => {
  const { client, backend, closed } = await spliced(t);
  client.write("x");
  await once(backend, "data");
  backend.on("error", () => {});
  backend.resume();
  client.resetAndDestroy();
  await once(backend, "end");
  backend.end();
  await closed;
});

test("spliced connections are no faster than who takes what comes", async (t) => {
  const { client, backend } = await spliced(t);
  const total = 64 * 1024 * 1024;
  const block = Buffer.alloc(256 * 1024);
  let [sent, taken] = [0, 0];
  const send = (async () => {
    while (sent < total) {
      sent += block.length;
      if (!client.write(block)) await once(client, "drain");
    }
    client.end();
  })();
  backend.pause();
  // Whoever sends gets all the turns it could want before anything is taken.
  for (let turn = 0; turn < 20_000; turn++) await new Promise(setImmediate);
  // As much as kernels hold for four sockets; they hold more once somebody reads.
  assert.ok(sent < 32 * 1024 * 1024, `${sent >> 20} MiB were taken though nobody read`);
  backend.on("data", (chunk: Buffer) => {
    taken += chunk.length;
  });
  backend.resume();
  await Promise.all([send, once(backend, "end")]);
  assert.equal(taken, total);
});

test("headers of one connection are not those of the next", () => {
  const raw = [
    ...["Host", "a", "Connection", "close, X-Own", "X-Own", "1", "Keep-Alive", "timeout=5", "TE", "trailers"],
    ...["Upgrade", "x", "X-Kept", "1", "x-kept", "2", "Transfer-Encoding", "chunked", "Authorization", "b"],
  ];
  assert.deepEqual(endToEndHeaders(raw, ["authorization"]), ["Host", "a", "X-Kept", "1", "x-kept", "2"]);
});
