import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, type RunCommand } from "../../host/command.ts";
import { acceptForwarded, withdrawForwarded } from "./forward-firewall.ts";
import { podCIDR } from "./peer.ts";

const NETWORKS = [podCIDR("10.244.0.0/16")!, podCIDR("fd00::/48")!];

/** A machine with an IPv4 chain of that policy and no IPv6 one; returns what is written. */
function machine(policy: string, comments: string[] = []): { run: RunCommand; written: string[] } {
  const written: string[] = [];
  const run: RunCommand = async (_, args, options) => {
    if (args[0] === "-f") written.push(...String(options?.input).trim().split("\n"));
    else if (args.includes("ip6")) throw new CommandError("nft", 1, "No such file or directory");
    const rules = comments.map((comment, i) => ({ rule: { comment, handle: i + 5 } }));
    return JSON.stringify({
      nftables: [{ metainfo: {} }, { chain: { policy } }, { rule: { handle: 4 } }, ...rules],
    });
  };
  return { run, written };
}

test("acceptForwarded does nothing where nothing is dropped", async () => {
  const { run, written } = machine("accept");
  await acceptForwarded(run, "kybern", NETWORKS);
  assert.deepEqual(written, []);
});

test("acceptForwarded lets pods through where the policy drops, once", async () => {
  const from =
    'insert rule ip filter FORWARD ip saddr 10.244.0.0/16 accept comment "kybern saddr 10.244.0.0/16"';
  const to =
    'insert rule ip filter FORWARD ip daddr 10.244.0.0/16 accept comment "kybern daddr 10.244.0.0/16"';
  const fresh = machine("drop");
  await acceptForwarded(fresh.run, "kybern", NETWORKS);
  assert.deepEqual(fresh.written, [from, to]);
  const half = machine("drop", ["kybern saddr 10.244.0.0/16", "other"]);
  await acceptForwarded(half.run, "kybern", NETWORKS);
  assert.deepEqual(half.written, [to]);
});

test("withdrawForwarded takes away our rules and no others", async () => {
  const { run, written } = machine("drop", [
    "kybern saddr 10.244.0.0/16",
    "kybern-2 saddr 10.0.0.0/8",
    "other",
  ]);
  await withdrawForwarded(run, "kybern");
  assert.deepEqual(written, ["delete rule ip filter FORWARD handle 5"]);
});
