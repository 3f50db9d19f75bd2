import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const KILLS = 20;

test(`the embedded store keeps every acknowledged write when its process is killed ${KILLS} times`, async (t) => {
  const program = fileURLToPath(new URL("./store-kill.ts", import.meta.url));
  const child = spawn(process.execPath, [program, String(KILLS)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [code] = await once(child, "close");
  for (const line of said.trim().split("\n")) t.diagnostic(line);
  assert.equal(code, 0, said);
  assert.match(said, /^\d+ acknowledged writes, none lost/m);
});
