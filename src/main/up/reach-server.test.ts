import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { serverFinding } from "./reach-server.ts";

test("serverFinding tells a machine that joined of a server that does not answer, and of no other", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  assert.equal(await serverFinding({ role: "agent", server: url }), undefined);
  server.close();
  await once(server, "close");
  // Nobody has this port of a reserved address.
  const finding = await serverFinding({ role: "agent", server: "https://255.255.255.255:6443" });
  assert.match(
    finding?.what ?? "",
    /^the API server https:\/\/255\.255\.255\.255:6443 cannot be reached \(.+\); /,
  );
  assert.equal(await serverFinding({ role: "server", server: "https://255.255.255.255:6443" }), undefined);
});
