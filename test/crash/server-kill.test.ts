/**
 * What `kybern server` promises about ends of its process: whatever was acknowledged is there afterwards, whether it was
 * killed at any moment or told to stop.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Random } from "../fuzz/random.ts";
import { ClusterModel } from "./cluster-model.ts";
import { type ServerProcess, spawnServer, startServer } from "./server-process.ts";

const KILLS = 10;
/** Milliseconds between two writes. */
const PACE = 10;

const folder = await mkdtemp(join(tmpdir(), "kybern-server-kill-"));
after(() => rm(folder, { recursive: true, force: true }));

/** Writes at the pace until the server is gone, and watches meanwhile; ends it once so many writes are acknowledged. */
async function live(
  server: ServerProcess,
  model: ClusterModel,
  end: () => void,
  count: number,
): Promise<void> {
  const watching = model.follow(server);
  const writes = new Set<Promise<void>>();
  const enough = model.acknowledged + count;
  let ending = false;
  const writing = setInterval(() => {
    const write = model.write(server);
    writes.add(write);
    void write.finally(() => writes.delete(write));
    if (ending || model.acknowledged < enough) return;
    ending = true;
    end();
  }, PACE);
  await server.ended;
  clearInterval(writing);
  server.forget();
  await Promise.all([watching, ...writes]);
}

test(`a server killed ${KILLS} times keeps what it acknowledged, and watches go on without a gap`, async (t) => {
  const seed = Date.now() % 0x7fffffff;
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const directory = join(folder, "killed");
  const model = new ClusterModel();
  for (let round = 0; round < KILLS; round++) {
    const server = await startServer(directory);
    await model.check(server);
    // Between two acknowledgements as often as at one of them.
    const kill = (): void => void setTimeout(() => server.kill("SIGKILL"), random.below(2 * PACE));
    await live(server, model, kill, 11 + random.below(60));
    assert.equal((await server.ended).signal, "SIGKILL");
  }
  const server = await startServer(directory);
  await model.check(server);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  t.diagnostic(`${model.acknowledged} acknowledged writes, ${model.unknown} of unknown outcome`);
  t.diagnostic(`watches resumed ${model.resumed} times, and were told to list anew ${model.expired} times`);
  assert.ok(model.acknowledged > KILLS * 10, "hardly anything was written");
  assert.equal(model.resumed + model.expired, KILLS);
});

test("a server told to stop, more than once, ends watches properly, exits with 0 and loses nothing", async () => {
  const directory = join(folder, "stopped");
  const model = new ClusterModel();
  const server = await startServer(directory);
  await model.check(server);
  const stop = (): void => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"] as const) server.kill(signal);
  };
  await live(server, model, stop, 40);
  assert.deepEqual(await server.ended, { code: 0, signal: null });
  assert.equal(server.log.filter((line) => / info stopping$/.test(line)).length, 1);
  assert.deepEqual(
    server.log.filter((line) => / (error|warn) /.test(line)),
    [],
  );
  assert.ok(model.endedProperly, "the watch was cut");
  assert.ok(model.acknowledged > 10, "hardly anything was written");
  const again = await startServer(directory);
  await model.check(again);
  assert.deepEqual(await again.stop(), { code: 0, signal: null });
});

test("a second server on the same data directory says why it cannot start, and harms nothing", async () => {
  const directory = join(folder, "taken");
  const model = new ClusterModel();
  const server = await startServer(directory);
  await model.check(server);
  await model.write(server);
  const second = spawnServer(directory);
  let said = "";
  second.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  assert.deepEqual(await once(second, "close"), [1, null]);
  assert.equal(
    said,
    `kybern: the store in ${join(directory, "store")} is in use by another process: stop it, or choose another data directory\n`,
  );
  await model.write(server);
  assert.equal(model.acknowledged, 2);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
