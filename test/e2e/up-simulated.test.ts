/** `kybern up` where no container runs: the same cluster with simulated nodes, for whoever may not be root. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
/** The source, as bin/kybern.js runs it: a build in the checkout may be of yesterday. */
const PROGRAM = [
  "--disable-proto=delete",
  fileURLToPath(new URL("../../src/main/kybern.ts", import.meta.url)),
];

test("up with simulated nodes runs in the background until down, and reset removes only what is its own", {
  timeout: 420_000,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-up-"));
  const kybern = async (...words: string[]): Promise<string> =>
    (await run(process.execPath, [...PROGRAM, ...words, "--data-dir", directory])).stdout;
  t.after(async () => {
    await kybern("reset", "--yes");
    await rm(directory, { recursive: true });
  });
  await writeFile(join(directory, "mine"), "");

  assert.match(
    await kybern("up", "--simulate-nodes", "2", "--secure-port", "0"),
    /2 simulated node\(s\) Ready/,
  );
  const status = JSON.parse(await kybern("status", "-o", "json"));
  assert.deepEqual(status.node, { name: "node-0", ready: true, message: "", simulated: 2 });
  assert.match(await kybern("logs", "--tail", "50"), /the nodes are simulated/);
  assert.match(await kybern("up"), /up already/);
  await assert.rejects(kybern("up", "--cluster-cidr", "bad"), /--cluster-cidr must be networks/);
  await assert.rejects(
    kybern("up", "--cluster-cidr", "10.200.0.0/16"),
    /made with --cluster-cidr 10\.244\.0\.0\/16/,
  );
  assert.match(await kybern("status"), /Ready/);

  const config = join(directory, "config");
  await kybern("kubeconfig", "--into", config);
  const merged = await readFile(config, "utf8");
  assert.match(merged, /current-context: kybern/);
  assert.equal(await kybern("kubeconfig", "--into", config), await kybern("kubeconfig", "--into", config));
  assert.equal(await readFile(config, "utf8"), merged);

  assert.match(await kybern("up", "--simulate-nodes", "1"), /1 simulated node\(s\) Ready/);
  assert.match(await kybern("down"), /is stopped/);
  await assert.rejects(kybern("status"), /nothing runs here/);
  await assert.rejects(
    kybern("token", "list"),
    /kybern: no answer from the server[^\n]*`kybern up` starts it/,
  );
  await assert.rejects(kybern("reset"), /--yes/);
  await kybern("reset", "--yes");
  assert.deepEqual((await readdir(directory)).sort(), ["config", "mine"]);
});
