/** The process that store-kill.ts kills: writes without end and says each acknowledged write on stdout. */
import { writeSync } from "node:fs";
import { openLmdb } from "../../src/store/lmdb/open-lmdb.ts";

const [directory = "", run = "0", pause = "5"] = process.argv.slice(2);
const store = await openLmdb({ directory });
const KEYS = 50;
const stands = new Map<string, number>();
for (const entry of (await store.range({ from: "/registry/", to: "/registry0" })).entries) {
  stands.set(entry.key, entry.modified);
}

let count = 0;
/** Compaction comes at this count of writes. */
let next = 90;
function write(): void {
  const key = `/registry/k${count % KEYS}`;
  const expect = stands.get(key) ?? 0;
  // Every seventh write of a key that is there deletes it; sizes go over a page and back.
  const value =
    expect > 0 && count % 7 === 0 ? undefined : `${run}.${count}.${"x".repeat((count * 131) % 9000)}`;
  count++;
  stands.set(key, -1);
  void store.write({ key, ...(value ? { value: Buffer.from(value) } : {}), expect }).then((outcome) => {
    if (!outcome.won) throw new Error(`${key} was written by nobody else, and yet lost its race`);
    stands.set(key, value ? outcome.at : 0);
    // Synchronously, into a pipe: what was said is known to the parent whatever happens next.
    writeSync(1, `${JSON.stringify([outcome.at, key, value?.slice(0, 20) ?? null])}\n`);
  });
}

setInterval(() => {
  for (let i = 0; i < 3; i++) if (stands.get(`/registry/k${count % KEYS}`) !== -1) write();
  if (count < next) return;
  next += 90;
  if ((store.latest ?? 0) > 200) void store.compact((store.latest ?? 0) - 150);
}, Number(pause));
