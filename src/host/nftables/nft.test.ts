import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, type RunCommand } from "../command.ts";
import { missingFromNftables } from "./features.ts";
import { openNft } from "./nft.ts";

test("nft takes batches one after the other, those after a refused one too", async () => {
  const running: string[] = [];
  const order: string[] = [];
  const run: RunCommand = async (_command, _args, { input = "" } = {}) => {
    running.push(String(input));
    assert.equal(running.length, 1, "one writer at a time");
    await new Promise((resolve) => setImmediate(resolve));
    running.pop();
    order.push(String(input));
    if (input === "second") throw new CommandError("nft", 1, "/dev/stdin:1:1-6: Error: no\nsecond\n^^^^^^");
    return "";
  };
  const nft = openNft({ run });
  const applied = ["first", "second", "third"].map((batch) => nft.apply(batch));
  const outcomes = await Promise.allSettled(applied);
  assert.deepEqual(order, ["first", "second", "third"]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
});

test("nft tells the line that it complains of, shortened, and other failures as they are", async () => {
  const long = `add element inet t s { ${"10.0.0.1, ".repeat(100)} }`;
  const stderrs = [`/dev/stdin:2:5-9: Error: Could not process rule: File exists\n${long}\n`, "Killed"];
  const run: RunCommand = async () => {
    throw new CommandError("nft", 1, stderrs.shift() ?? "");
  };
  const nft = openNft({ run });
  await assert.rejects(nft.apply(`add table inet t\n${long}\n`), (error: Error & { line?: string }) => {
    assert.match(error.message, /^Could not process rule: File exists \(add element inet t s/);
    return error.name === "NftError" && error.line?.length === 161;
  });
  await assert.rejects(nft.check("add table inet t\n"), { name: "NftError", message: "Killed" });
});

test("nft runs in another network namespace when it is told a command for that", async () => {
  const calls: string[] = [];
  const run: RunCommand = async (command, args) => {
    calls.push([command, ...args].join(" "));
    return "{}";
  };
  const nft = openNft({ run, command: ["ip", "netns", "exec", "other", "nft"] });
  await nft.apply("");
  await nft.check("");
  await nft.list("tables");
  assert.deepEqual(calls, [
    "ip netns exec other nft -f -",
    "ip netns exec other nft --check -f -",
    "ip netns exec other nft -j list tables",
  ]);
});

test("what is missing is told as what nft refuses, or as nft itself", async () => {
  const nft = (code: number | undefined, stderr: string) =>
    openNft({
      run: async () => {
        throw new CommandError("nft", code, stderr, code === undefined ? new Error("ENOENT") : undefined);
      },
    });
  assert.match((await missingFromNftables(nft(1, "x: Error: no"))) ?? "", /^nftables cannot do/);
  assert.match(
    (await missingFromNftables(nft(undefined, ""))) ?? "",
    /^the program nft cannot be run: .*ENOENT/,
  );
});
