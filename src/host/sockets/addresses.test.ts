import assert from "node:assert/strict";
import { test } from "node:test";
import { listenHost, peerAddress } from "./addresses.ts";

test("listenHost leaves the families open for either unspecified address", () => {
  assert.deepEqual(["0.0.0.0", "::", "127.0.0.1", "::1"].map(listenHost), [
    undefined,
    undefined,
    "127.0.0.1",
    "::1",
  ]);
});

test("peerAddress is an IPv4 address as such, whatever the socket", () => {
  for (const [remoteAddress, peer] of [
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8::7", "2001:db8::7"],
    [undefined, ""],
  ] as const) {
    assert.equal(peerAddress({ remoteAddress }), peer);
  }
});
