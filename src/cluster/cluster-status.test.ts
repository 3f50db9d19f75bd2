import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { type ClusterStatus, followStatus, readStatus, StatusBoard } from "./cluster-status.ts";

const LONGEST = { timeout: 240_000 };

async function socketPath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-status-"));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, "run/status.sock");
}

const board = (now: () => number): StatusBoard =>
  new StatusBoard({ version: "v1", pid: 7, started: 0, role: "server", server: "https://a:1" }, now);

test(
  "a board tells its status to whoever connects, and each change, by a socket of its owner alone",
  LONGEST,
  async (t) => {
    const path = await socketPath(t);
    let now = 1000;
    const of = board(() => now);
    of.set("API server", "starting");
    const served = await of.serve(path);
    t.after(() => served.close());
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const seen = followStatus(path);
    const first = (await seen.next()).value;
    assert.deepEqual(first?.components, [
      { name: "API server", state: "starting", message: "", since: 1000 },
    ]);
    now = 2000;
    of.set("API server", "running", "https://a:1");
    of.set("scheduler", "running");
    await seen.next();
    const last = (await seen.next()).value as ClusterStatus | undefined;
    assert.deepEqual(
      last?.components.map(({ name, since }) => [name, since]),
      [
        ["API server", 2000],
        ["scheduler", 2000],
      ],
    );
    await seen.return(undefined);
  },
);

test("a component's state is as old as it lasts, whatever its message", LONGEST, async (t) => {
  const path = await socketPath(t);
  let now = 1000;
  const of = board(() => now);
  of.set("node", "failed", "one");
  now = 5000;
  of.set("node", "failed", "two");
  const served = await of.serve(path);
  t.after(() => served.close());
  assert.deepEqual((await readStatus(path))?.components, [
    { name: "node", state: "failed", message: "two", since: 1000 },
  ]);
});

test("followStatus ends with the program, and where none runs", LONGEST, async (t) => {
  const path = await socketPath(t);
  assert.equal(await readStatus(path), undefined);
  const served = await board(() => 0).serve(path);
  const seen = followStatus(path);
  await seen.next();
  await served.close();
  assert.equal((await seen.next()).done, true);
});

test("followStatus ends when it is given up", LONGEST, async (t) => {
  const path = await socketPath(t);
  const served = await board(() => 0).serve(path);
  t.after(() => served.close());
  const abort = new AbortController();
  const seen = followStatus(path, abort.signal);
  await seen.next();
  abort.abort();
  assert.equal((await seen.next()).done, true);
});
