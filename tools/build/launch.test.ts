/** bin/ in both ways that it can start a program: by taking the process over, and as a child where it cannot. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const KYBERN = fileURLToPath(new URL("../../bin/kybern.js", import.meta.url));
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

async function answerOf(port: number): Promise<number | undefined> {
  const request = get({ port, path: "/livez", rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "close");
  return response.statusCode;
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

for (const end of ["SIGKILL", "SIGTERM"] as const) {
  test(`a server in a child is gone when its launcher gets ${end} with its whole group`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "kybern-launch-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const where = [
      "--bind-address",
      "127.0.0.1",
      "--advertise-address",
      "192.0.2.1",
      "--secure-port",
      "0",
      "--data-dir",
      folder,
    ];
    const launcher = spawn(
      process.execPath,
      [...WITHOUT_EXECVE, KYBERN, "server", "--store", "memory", ...where],
      { stdio: ["ignore", "ignore", "pipe"], detached: true },
    );
    let said = "";
    let told = false;
    launcher.stderr.setEncoding("utf8");
    // The server has the same stderr: it closes when both are gone.
    const closed = once(launcher, "close");
    for await (const text of launcher.stderr) {
      said += text;
      if (told || !said.includes(" ready ")) continue;
      told = true;
      // Once it answers, it is past what it does between that line and waiting for a signal.
      await answerOf(Number(/ address=\S+:(\d+)/.exec(said)?.[1]));
      process.kill(-(launcher.pid ?? 0), end);
    }
    const [code, signal] = await closed;
    assert.deepEqual([code, signal], end === "SIGKILL" ? [null, "SIGKILL"] : [0, null], said);
    assert.equal(said.includes("stopping"), end === "SIGTERM");
  });
}
