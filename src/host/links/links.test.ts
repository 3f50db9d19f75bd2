import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, type RunCommand } from "../command.ts";
import { applyBatch, deleteLink, linkOfAddress, parseLinks, readLink } from "./links.ts";

const PRINTED = JSON.stringify([
  { ifname: "lo", mtu: 65536, flags: ["LOOPBACK", "UP"], addr_info: [{ local: "127.0.0.1", prefixlen: 8 }] },
  {
    ifname: "kybern.1",
    mtu: 1450,
    address: "02:00:00:00:00:01",
    flags: ["BROADCAST"],
    addr_info: [
      { local: "10.244.1.0", prefixlen: 32, scope: "global" },
      { local: "fe80::1", prefixlen: 64, scope: "link" },
    ],
    linkinfo: {
      info_kind: "vxlan",
      info_data: { id: 1, local: "192.0.2.1", link: "eth0", port: 8472, learning: false },
    },
  },
]);

test("parseLinks reads links, their addresses and tunnels", () => {
  assert.deepEqual(parseLinks(PRINTED), [
    { name: "lo", mtu: 65536, mac: undefined, isUp: true, addresses: ["127.0.0.1/8"], vxlan: undefined },
    {
      name: "kybern.1",
      mtu: 1450,
      mac: "02:00:00:00:00:01",
      isUp: false,
      addresses: ["10.244.1.0/32"],
      vxlan: { vni: 1, local: "192.0.2.1", over: "eth0", port: 8472, learning: false },
    },
  ]);
  assert.deepEqual(parseLinks(""), []);
});

test("links are found by name and by a whole address", async () => {
  const run: RunCommand = async () => PRINTED;
  assert.equal((await readLink(run, "kybern.1"))?.mtu, 1450);
  assert.equal(await readLink(run, "kybern"), undefined);
  assert.equal((await linkOfAddress(run, "10.244.1.0"))?.name, "kybern.1");
  assert.equal(await linkOfAddress(run, "10.244.1"), undefined);
});

test("applyBatch runs the program once for all lines, and not for none", async () => {
  const inputs: unknown[] = [];
  const run: RunCommand = async (command, args, options) => {
    inputs.push([command, ...args, options?.input]);
    return "";
  };
  await applyBatch(run, "ip", []);
  await applyBatch(run, "bridge", ["a", "b"]);
  assert.deepEqual(inputs, [["bridge", "-batch", "-", "a\nb\n"]]);
});

test("deleteLink does not mind that somebody else was faster, but other failures", async () => {
  let shown = PRINTED;
  const faster: RunCommand = async (_, args) => {
    if (args.includes("show")) return shown;
    shown = "[]";
    throw new CommandError("ip", 1, "Cannot find device");
  };
  assert.equal(await deleteLink(faster, "kybern.1"), false);
  assert.equal(await deleteLink(faster, "kybern.1"), false);
  const refusing: RunCommand = async (_, args) => {
    if (args.includes("show")) return PRINTED;
    throw new CommandError("ip", 2, "Operation not permitted");
  };
  await assert.rejects(deleteLink(refusing, "kybern.1"), /Operation not permitted/);
});
