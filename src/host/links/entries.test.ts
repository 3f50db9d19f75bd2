import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunCommand } from "../command.ts";
import { applyEntries, entryCommands, NO_ENTRIES, readEntries } from "./entries.ts";

const PRINTED: Readonly<Record<string, unknown>> = {
  "ip -4 -j route": [{ dst: "10.244.2.0/24", gateway: "10.244.2.0", flags: ["onlink"] }],
  "ip -6 -j route": [
    { dst: "fd00:1::", protocol: "kernel", metric: 256 },
    { dst: "fd00:2::/64", gateway: "fd00:2::", metric: 1024 },
  ],
  "ip -j neigh": [
    { dst: "10.244.2.0", lladdr: "02:00:00:00:00:02", state: ["PERMANENT"] },
    { dst: "10.244.3.0", state: ["FAILED"] },
  ],
  "bridge -j fdb": [{ mac: "02:00:00:00:00:02", dst: "192.0.2.2", flags: ["self"], state: "permanent" }],
};

const there = {
  routes: new Map([
    ["10.244.2.0/24", "10.244.2.0"],
    ["fd00:2::/64", "fd00:2::"],
  ]),
  neighbours: new Map([["10.244.2.0", "02:00:00:00:00:02"]]),
  forwarding: new Map([["02:00:00:00:00:02", "192.0.2.2"]]),
};

test("readEntries takes what was made to stay, and leaves what the kernel made", async () => {
  const run: RunCommand = async (command, args) => {
    assert.deepEqual(args.slice(-3), ["show", "dev", "kybern.1"]);
    return JSON.stringify(PRINTED[[command, ...args.slice(0, -3)].join(" ")]);
  };
  assert.deepEqual(await readEntries(run, "kybern.1"), there);
  assert.deepEqual(await readEntries(async () => "", "kybern.1"), NO_ENTRIES);
});

test("entryCommands has nothing to do where everything is there", () => {
  assert.deepEqual(entryCommands("x", there, there), { remove: [], forward: [], add: [] });
});

test("entryCommands removes what is not wanted, and replaces what differs", () => {
  const wanted = {
    routes: new Map([["10.244.3.0/24", "10.244.3.0"]]),
    neighbours: new Map([["10.244.3.0", "02:00:00:00:00:03"]]),
    forwarding: new Map([
      ["02:00:00:00:00:03", "192.0.2.3"],
      ["02:00:00:00:00:02", "192.0.2.22"],
    ]),
  };
  assert.deepEqual(entryCommands("x", there, wanted), {
    remove: ["route del 10.244.2.0/24 dev x", "route del fd00:2::/64 dev x", "neigh del 10.244.2.0 dev x"],
    forward: [
      "fdb replace 02:00:00:00:00:03 dev x dst 192.0.2.3 self permanent",
      "fdb replace 02:00:00:00:00:02 dev x dst 192.0.2.22 self permanent",
    ],
    add: [
      "neigh replace 10.244.3.0 lladdr 02:00:00:00:00:03 dev x nud permanent",
      "route replace 10.244.3.0/24 via 10.244.3.0 dev x onlink",
    ],
  });
  assert.deepEqual(entryCommands("x", there, NO_ENTRIES).forward, [
    "fdb del 02:00:00:00:00:02 dev x dst 192.0.2.2 self",
  ]);
});

test("applyEntries makes neighbours known before routes lead to them", async () => {
  const ran: string[] = [];
  const run: RunCommand = async (command, _, options) => {
    ran.push(`${command}: ${String(options?.input).trim()}`);
    return "";
  };
  await applyEntries(run, { remove: ["r"], forward: ["f"], add: ["a"] });
  assert.deepEqual(ran, ["ip: r", "bridge: f", "ip: a"]);
});
