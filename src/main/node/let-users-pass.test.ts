import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { layoutOf } from "../../cluster/layout.ts";
import { letUsersPass } from "./let-users-pass.ts";

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);

test("letUsersPass opens the way to what runs, and closes what lies beside it", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "kybern-pass-"));
  t.after(() => rm(root, { recursive: true }));
  const layout = layoutOf(join(root, "data"));
  await mkdir(layout.dataDir, { mode: 0o700 });
  await mkdir(layout.registries, { mode: 0o755 });
  for (const _ of [1, 2]) {
    await letUsersPass(layout);
    assert.equal(await modeOf(layout.dataDir), "711");
    assert.equal(await modeOf(layout.runDir), "711");
    assert.equal(await modeOf(layout.registries), "700");
    assert.equal(await modeOf(layout.storage), "700");
  }
});

test("letUsersPass leaves the data directory closed where what runs is elsewhere", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "kybern-pass-"));
  t.after(() => rm(root, { recursive: true }));
  const dataDir = join(root, "data");
  await mkdir(dataDir, { mode: 0o700 });
  const places = { ...layoutOf(dataDir), runDir: join(root, "run") };
  await letUsersPass(places);
  assert.deepEqual([await modeOf(dataDir), await modeOf(places.runDir)], ["700", "711"]);
});
