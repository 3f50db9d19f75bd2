import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sysctls } from "../../host/links/sysctls.ts";
import { raiseConntrackSettings } from "./conntrack-settings.ts";

function kernel(values: Record<string, string>, readOnly: readonly string[] = []): Sysctls {
  return {
    read: async (name) => values[name.join("/")],
    async set(name, value) {
      const path = name.join("/");
      if (readOnly.includes(path)) throw new Error("EACCES");
      values[path] = value;
    },
    async restore() {},
  };
}

const MAX = "net/netfilter/nf_conntrack_max";
const ESTABLISHED = "net/netfilter/nf_conntrack_tcp_timeout_established";
const CLOSE_WAIT = "net/netfilter/nf_conntrack_tcp_timeout_close_wait";

test("raises what is lower than a node needs, and lowers nothing", async () => {
  const values = { [MAX]: "65536", [ESTABLISHED]: "432000", [CLOSE_WAIT]: "60" };
  assert.deepEqual(await raiseConntrackSettings(kernel(values), 2), []);
  assert.deepEqual(values, { [MAX]: "131072", [ESTABLISHED]: "432000", [CLOSE_WAIT]: "3600" });
  assert.deepEqual(await raiseConntrackSettings(kernel(values), 16), []);
  assert.equal(values[MAX], "524288");
});

test("goes on where the kernel refuses one, and does nothing where connections are not followed", async () => {
  const values = { [MAX]: "65536", [ESTABLISHED]: "100", [CLOSE_WAIT]: "60" };
  assert.deepEqual(await raiseConntrackSettings(kernel(values, [MAX]), 2), ["nf_conntrack_max"]);
  assert.deepEqual(values, { [MAX]: "65536", [ESTABLISHED]: "86400", [CLOSE_WAIT]: "3600" });
  const none = {};
  assert.deepEqual(await raiseConntrackSettings(kernel(none), 2), []);
  assert.deepEqual(none, {});
});
