/** A data directory whose disk is full: writes are refused, everything else goes on, and deletes make room. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Answer, type ServerProcess, startServer } from "./server-process.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
/** Room for a hundred or so of the objects. */
const DISK = "size=16m";
const FILLING = "x".repeat(100_000);

const disk = await mkdtemp(join(tmpdir(), "kybern-disk-full-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", DISK, "tmpfs", disk]);
after(async () => {
  if (mounted.status === 0) spawnSync("umount", ["--lazy", disk]);
  await rm(disk, { recursive: true, force: true });
});

function create(server: ServerProcess, name: string): Promise<Answer> {
  return server.ask("POST", MAPS, { metadata: { name }, data: { filling: FILLING } });
}

/** Creates until there is no room; the names of what was acknowledged. */
async function fill(server: ServerProcess, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const name = `${prefix}-${names.length}`;
    const { code, object } = await create(server, name);
    if (code === 201) {
      names.push(name);
      assert.ok(names.length < 1000, "the disk does not get full");
      continue;
    }
    assertRefused(code, object);
    return names;
  }
}

function assertRefused(code: number, object: Answer["object"]): void {
  assert.deepEqual([code, object.kind, object.reason], [500, "Status", "InternalError"]);
  assert.match(object.message ?? "", /the store cannot (take the write|write to) /);
}

/**
 * The first write that is refused makes the server forget the deleted objects' history, which takes it a moment. Ends by
 * the test's time limit where deletes make no room.
 */
async function roomMade(server: ServerProcess): Promise<void> {
  for (;;) {
    const { code, object } = await create(server, "second");
    if (code === 201) return;
    assertRefused(code, object);
  }
}

async function listed(server: ServerProcess): Promise<string[]> {
  const { items = [] } = await server.ok("GET", MAPS);
  return items.map(({ metadata }) => metadata.name).sort();
}

test("a server whose disk is full refuses writes, goes on to be read and watched, and takes writes after deletes", {
  timeout: 240_000,
  skip: mounted.status === 0 ? false : `a tmpfs cannot be mounted here: ${mounted.stderr}`,
}, async (t) => {
  const directory = join(disk, "data");
  const server = await startServer(directory);
  const told: string[] = [];
  const watching = server.watch(`${MAPS}?watch=true&resourceVersion=0`, ({ type, object }) => {
    told.push(`${type} ${object.metadata.name}`);
  });
  const kept = await fill(server, "first");
  t.diagnostic(`full after ${kept.length} objects`);
  assert.ok(kept.length > 10);
  for (let i = 0; i < 5; i++) {
    const { code, object } = await create(server, `refused-${i}`);
    assertRefused(code, object);
  }
  assert.deepEqual(await listed(server), [...kept].sort());
  assert.equal((await server.ok("GET", `${MAPS}/${kept[0]}`)).data?.filling, FILLING);

  const gone = kept.splice(0, Math.ceil(kept.length / 2));
  for (const name of gone) await server.ok("DELETE", `${MAPS}/${name}`);
  await roomMade(server);
  const more = ["second", ...(await fill(server, "more"))];
  t.diagnostic(`${gone.length} deletes made room for ${more.length}`);
  assert.ok(more.length > gone.length / 2, `${gone.length} deletes made room for ${more.length} only`);
  const there = [...kept, ...more].sort();
  assert.deepEqual(await listed(server), there);

  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.deepEqual(await watching, { properly: true });
  const events = [
    ...[...gone, ...kept].map((name) => `ADDED ${name}`),
    ...gone.map((name) => `DELETED ${name}`),
    ...more.map((name) => `ADDED ${name}`),
  ];
  assert.deepEqual(told, events);
  const again = await startServer(directory);
  assert.deepEqual(await listed(again), there);
  for (const name of there) {
    assert.equal((await again.ok("GET", `${MAPS}/${name}`)).data?.filling, FILLING);
  }
  assert.deepEqual(await again.stop(), { code: 0, signal: null });
});
