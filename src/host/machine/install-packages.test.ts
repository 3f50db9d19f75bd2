import assert from "node:assert/strict";
import test from "node:test";
import { CommandError } from "../command.ts";
import { installPackages } from "./install-packages.ts";

test("installPackages brings the lists up to date only where the packages are not found", async () => {
  const said: string[] = [];
  let known = true;
  const run = async (_: string, words: readonly string[]): Promise<string> => {
    said.push(words[0]!);
    if (words[0] === "update") known = true;
    else if (!known) throw new CommandError("apt-get", 100, "Unable to locate package runc");
    return "";
  };
  await installPackages(["runc"], run);
  assert.deepEqual(said.splice(0), ["install"]);
  known = false;
  await installPackages(["runc"], run);
  assert.deepEqual(said, ["install", "update", "install"]);
});
