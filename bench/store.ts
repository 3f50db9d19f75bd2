/**
 * What a store does per second: `node bench/store.ts [lmdb|memory] [seconds per figure]`. One figure a line. The data
 * go to a new folder in the current directory's file system, as a disk in memory would prove nothing.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { openLmdb } from "../src/store/lmdb/open-lmdb.ts";
import { openMemory } from "../src/store/memory/open-memory.ts";
import type { Store } from "../src/store/store.ts";

const backend = process.argv[2] ?? "lmdb";
const seconds = Number(process.argv[3] ?? "2");
const VALUE = new Uint8Array(4000).fill(120);
/** As many as an API server with some custom resources opens. */
const WATCHES = 60;

const folder = await mkdtemp(join(process.cwd(), ".bench-store-"));
const store = backend === "memory" ? await openMemory() : await openLmdb({ directory: folder });
try {
  await openWatches(store);
  let made = 0;
  const put = async (): Promise<void> => {
    await store.write({ key: `/registry/pods/default/pod-${made++}`, value: VALUE, expect: 0 });
  };
  await put();
  for (const inFlight of [1, 64, 200]) await measure(`put, ${inFlight} in flight`, inFlight, put);
  await measure("get", 1, async (i) => {
    await store.get(`/registry/pods/default/pod-${i % made}`);
  });
  await measure(
    "range, entries",
    1,
    async (i) => {
      const from = `/registry/pods/default/pod-${i % made}`;
      await store.range({ from, to: "/registry/pods0" }, { limit: 500 });
    },
    500,
  );
} finally {
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}

async function openWatches(store: Store): Promise<void> {
  for (let i = 0; i < WATCHES; i++) {
    const from = i === 0 ? "/registry/pods/" : `/registry/resource${i}/`;
    const to = `${from.slice(0, -1)}0`;
    await store.watch({ from, to }, store.latest ?? 0, { changed() {}, progressed() {}, failed() {} });
  }
}

async function measure(
  name: string,
  inFlight: number,
  step: (i: number) => Promise<void>,
  weight = 1,
): Promise<void> {
  const until = performance.now() + seconds * 1000;
  const start = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  const times: number[] = [];
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const began = performance.now();
      await step(done++);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const passed = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const count = times.length * weight;
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(2);
  console.log(
    `${backend} ${name}: ${Math.round(count / passed)} /s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `${((user + system) / count).toFixed(1)} us CPU each`,
  );
}
