import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { VirtualClock } from "../../base/clock.ts";
import { containerLogManager, planRotation } from "./rotation.ts";

test("rotation keeps the newest, compresses what is finished, and removes what was half done", () => {
  const names = [
    "0.log",
    "0.log.20260501-100000.gz",
    "0.log.20260501-110000",
    "1.log",
    "1.log.20260501-100000",
  ];
  assert.deepEqual(planRotation("0.log", names, 5), { remove: [], compress: ["0.log.20260501-110000"] });
  assert.deepEqual(planRotation("0.log", names, 3), {
    remove: ["0.log.20260501-100000.gz"],
    compress: ["0.log.20260501-110000"],
  });
  assert.deepEqual(planRotation("0.log", names, 2), {
    remove: ["0.log.20260501-100000.gz", "0.log.20260501-110000"],
    compress: [],
  });
  const broken = ["0.log", "0.log.20260501-100000", "0.log.20260501-100000.gz", "0.log.20260501-110000.tmp"];
  assert.deepEqual(planRotation("0.log", broken, 5), {
    remove: ["0.log.20260501-110000.tmp", "0.log.20260501-100000"],
    compress: [],
  });
});

async function logFile(t: TestContext): Promise<{ directory: string; path: string }> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-rotation-"));
  t.after(() => rm(directory, { recursive: true }));
  return { directory, path: join(directory, "0.log") };
}

test("a log that has got large is rotated, at most so many files being kept", async (t) => {
  const { directory, path } = await logFile(t);
  const clock = new VirtualClock();
  const reopened: string[] = [];
  const manager = containerLogManager({
    clock,
    running: () => [{ id: "abc", path }],
    runtime: {
      async reopenContainerLog({ containerId = "" }) {
        reopened.push(containerId);
        await writeFile(path, "");
        return {};
      },
    },
    maxSize: 100,
    maxFiles: 4,
    log: (level, text) => assert.fail(`${level}: ${text}`),
  });
  await writeFile(path, "small");
  await manager.rotate();
  assert.deepEqual(reopened, []);
  for (let i = 0; i < 6; i++) {
    clock.advance(1000);
    await writeFile(path, `${i}`.repeat(100));
    await manager.rotate();
  }
  manager.close();
  assert.equal(reopened.length, 6);
  const files = (await readdir(directory)).sort();
  assert.equal(files.length, 4);
  const [current = "", first = "", second = "", third = ""] = files;
  assert.equal(await readFile(join(directory, current), "utf8"), "");
  for (const [name, digit] of [
    [first, "3"],
    [second, "4"],
  ] as const) {
    assert.match(name, /^0\.log\.\d{8}-\d{6}\.gz$/);
    assert.equal(gunzipSync(await readFile(join(directory, name))).toString(), digit.repeat(100));
  }
  assert.equal(await readFile(join(directory, third), "utf8"), "5".repeat(100));
});

test("a log that the runtime does not begin anew keeps its name", async (t) => {
  const { directory, path } = await logFile(t);
  const said: string[] = [];
  const manager = containerLogManager({
    clock: new VirtualClock(),
    running: () => [
      { id: "gone", path: `${path}.none` },
      { id: "abc", path },
    ],
    runtime: {
      async reopenContainerLog() {
        throw new Error("container is gone");
      },
    },
    maxSize: 1,
    log: (_level, _text, facts) => said.push(String(facts?.error)),
  });
  await writeFile(path, "content");
  await manager.rotate();
  manager.close();
  assert.deepEqual(await readdir(directory), ["0.log"]);
  assert.deepEqual(said, ["container is gone"]);
});

test("sizes are looked at every ten seconds", async (t) => {
  const { path } = await logFile(t);
  const clock = new VirtualClock();
  let looked = 0;
  let told = (): void => {};
  const manager = containerLogManager({
    clock,
    running: () => {
      looked++;
      told();
      return [{ id: "abc", path }];
    },
    runtime: { reopenContainerLog: async () => ({}) },
    log: () => {},
  });
  clock.advance(9_999);
  assert.equal(looked, 0);
  const again = new Promise<void>((resolve) => {
    told = resolve;
  });
  clock.advance(1);
  await again;
  await manager.rotate();
  assert.equal(looked, 1);
  manager.close();
  assert.equal(clock.pending, 0);
});
