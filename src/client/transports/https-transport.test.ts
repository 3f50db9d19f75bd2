import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import test from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { HTTPSTransport } from "./https-transport.ts";

test("HTTPSTransport gives up a connection that does not come about, and closes whatever it waits for", async (t) => {
  const server = createServer(() => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const clock = new VirtualClock();
  const { port } = server.address() as AddressInfo;
  const transport = new HTTPSTransport({ server: `https://127.0.0.1:${port}`, clock });
  const connected = once(server, "connection");
  const first = transport.request({ method: "GET", path: "/version", headers: {} });
  await connected;
  clock.advance(15_000);
  await assert.rejects(first, /no answer from the server/);

  const again = once(server, "connection");
  const second = transport.request({ method: "GET", path: "/version", headers: {} });
  const refused = assert.rejects(second, /no answer from the server/);
  await again;
  await transport.close();
  await refused;
  assert.equal(clock.pending, 0);
});
