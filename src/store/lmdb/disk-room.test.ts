import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { type Revision, StoreUnavailable } from "../store.ts";
import { openLmdb } from "./open-lmdb.ts";

test("a store leaves a full disk alone, but for what its file has room for", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-disk-room-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  let room = Number.POSITIVE_INFINITY;
  await using store = await openLmdb({ clock: systemClock, directory, room: () => room });
  const value = new Uint8Array(100_000).fill(7);
  const create = async (key: string): Promise<Revision> => {
    const outcome = await store.write({ key, value, expect: 0 });
    assert.ok(outcome.won);
    return outcome.at;
  };
  const made: [string, Revision][] = [];
  for (let i = 0; i < 50; i++) made.push([`k${i}`, await create(`k${i}`)]);

  room = 1 << 20;
  const full = (error: unknown): boolean =>
    error instanceof StoreUnavailable &&
    /no space left on device; free some, or delete objects/.test(error.message);
  await assert.rejects(create("refused"), full);
  let last: Revision = 0;
  for (const [key, expect] of made) {
    const outcome = await store.write({ key, expect });
    assert.ok(outcome.won);
    last = outcome.at;
  }
  await store.compact(last);
  // Small enough for what the deletes left in the file.
  for (let i = 0; i < 20; i++) await create(`again${i}`);

  await assert.rejects(async () => {
    for (let i = 0; ; i++) await create(`more${i}`);
  }, full);
  room = 1 << 30;
  await create("refused");
});
