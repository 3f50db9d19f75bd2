import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { isPortFree } from "./port-free.ts";

/** Of the loopback, as all of 127.0.0.0/8 on Linux. */
const NOBODYS = "127.83.41.7";
/** Not among those that systems give away. */
const PORT = 4013;

test("isPortFree sees who listens at the address or at any, by TCP and by UDP", async (t) => {
  const one = createServer().listen(0, "127.0.0.1");
  t.after(() => one.close());
  await once(one, "listening");
  const { port } = one.address() as AddressInfo;
  assert.equal(await isPortFree("tcp", port, "127.0.0.1"), false);
  assert.equal(await isPortFree("tcp", port), false);
  const socket = createSocket("udp4").bind(0, "0.0.0.0");
  t.after(() => socket.close());
  await once(socket, "listening");
  assert.equal(await isPortFree("udp", socket.address().port, "127.0.0.1"), false);
});

test("isPortFree leaves a port that nobody has as it was", {
  skip: process.platform !== "linux",
}, async () => {
  for (const protocol of ["tcp", "tcp", "udp", "udp", "sctp"])
    assert.equal(await isPortFree(protocol, PORT, NOBODYS), true, protocol);
});
