/** bin/ in both ways that it can start a program: by taking the process over, and as a child where it cannot. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import test from "node:test";
import { fileURLToPath } from "node:url";

const NODE_JS = fileURLToPath(new URL("../../bin/node.js", import.meta.url));
/** Node 20 has no process.execve. */
const WITHOUT_EXECVE = ["--import", "data:text/javascript,process.execve = undefined"];

function start(before: readonly string[], ...args: string[]): ChildProcess {
  return spawn(process.execPath, [...before, NODE_JS, ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

async function endOf(
  child: ChildProcess,
): Promise<[code: number | null, signal: string | null, said: string]> {
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return [code, signal, said];
}

test("runNode picks a Node of at least version 24", async () => {
  const [code, , said] = await endOf(start([], "-p", "process.versions.node"));
  assert.equal(code, 0);
  assert.ok(Number(said.split(".")[0]) >= 24, said);
});

for (const [way, before] of [
  ["in its own process", []],
  ["in a child", WITHOUT_EXECVE],
] as const) {
  test(`runNode ${way} passes arguments and the exit code on`, async () => {
    const script = "console.log(process.argv.slice(1).join()); process.exit(7)";
    assert.deepEqual(await endOf(start(before, "-e", script, "a b", "c")), [7, null, "a b,c\n"]);
  });

  test(`runNode ${way} ends by the signal that ended the program`, async () => {
    const [code, signal] = await endOf(start(before, "-e", 'process.kill(process.pid, "SIGKILL")'));
    assert.deepEqual([code, signal], [null, "SIGKILL"]);
  });

  test(`runNode ${way} lets the program end itself when told to stop`, async () => {
    const script = `process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); console.log("up")`;
    const child = start(before, "-e", script);
    const end = endOf(child);
    assert.ok(child.stdout);
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    assert.deepEqual(await end, [5, null, "up\n"]);
  });
}

test("runNode in a child runs there and not in its own process", async () => {
  const script = "console.log(process.ppid)";
  const child = start(WITHOUT_EXECVE, "-e", script);
  const [, , said] = await endOf(child);
  assert.equal(Number(said), child.pid);
});
