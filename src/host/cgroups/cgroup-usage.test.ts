import assert from "node:assert/strict";
import { test } from "node:test";
import { ioOfVersion1, ioOfVersion2, usageOfVersion1, usageOfVersion2 } from "./cgroup-usage.ts";

const from = (files: Record<string, string>) => (file: string) => files[file];

test("usage is read from the files of version 1, those below counted in", () => {
  const usage = usageOfVersion1(
    from({
      "cpuacct.usage": "1500000000\n",
      "cpuacct.stat": "user 100\nsystem 50\n",
      "cpu.stat": "nr_periods 10\nnr_throttled 3\nthrottled_time 7\n",
      "memory.usage_in_bytes": "1000\n",
      "memory.stat":
        "cache 1\nrss 2\ntotal_cache 400\ntotal_rss 500\ntotal_mapped_file 30\ntotal_swap 4\n" +
        "total_pgfault 9\ntotal_pgmajfault 1\ntotal_inactive_file 300\n",
      "memory.max_usage_in_bytes": "2000\n",
      "memory.failcnt": "5\n",
      "memory.kmem.usage_in_bytes": "60\n",
      "memory.limit_in_bytes": "9223372036854771712\n",
      "pids.current": "6\n",
      "pids.max": "max\n",
    }),
  );
  assert.deepEqual(usage, {
    cpu: {
      total: 1.5e9,
      user: 1e9,
      system: 0.5e9,
      periods: 10,
      throttledPeriods: 3,
      throttled: 7,
    },
    memory: {
      usage: 1000,
      workingSet: 700,
      rss: 500,
      cache: 400,
      mappedFile: 30,
      swap: 4,
      kernel: 60,
      pageFaults: 9,
      majorPageFaults: 1,
      most: 2000,
      failures: 5,
    },
    pids: { current: 6 },
  });
});

test("usage is read from the files of version 2", () => {
  const usage = usageOfVersion2(
    from({
      "cpu.stat":
        "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 10\nnr_throttled 3\nthrottled_usec 7\n",
      "memory.current": "1000\n",
      "memory.stat":
        "anon 500\nfile 400\nkernel 60\nfile_mapped 30\ninactive_file 1300\npgfault 9\npgmajfault 1\n",
      "memory.swap.current": "4\n",
      "memory.peak": "2000\n",
      "memory.events": "low 0\nmax 5\noom 1\n",
      "memory.max": "4096\n",
      "pids.current": "6\n",
      "pids.max": "100\n",
    }),
  );
  assert.deepEqual(usage.cpu, {
    total: 1.5e9,
    user: 1e9,
    system: 0.5e9,
    periods: 10,
    throttledPeriods: 3,
    throttled: 7000,
  });
  assert.deepEqual(usage.memory, {
    usage: 1000,
    workingSet: 0,
    rss: 500,
    cache: 400,
    mappedFile: 30,
    swap: 4,
    kernel: 60,
    pageFaults: 9,
    majorPageFaults: 1,
    most: 2000,
    failures: 5,
    limit: 4096,
  });
  assert.deepEqual(usage.pids, { current: 6, limit: 100 });
});

test("usage of a group that is gone is empty", () => {
  assert.deepEqual(
    usageOfVersion1(() => undefined),
    {},
  );
  assert.deepEqual(
    usageOfVersion2(() => undefined),
    {},
  );
});

test("what was read and written is told by device", () => {
  const device = { device: "254:0", readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 };
  assert.deepEqual(
    ioOfVersion1(
      "254:0 Read 10\n254:0 Write 20\n254:0 Sync 30\n254:0 Total 30\nTotal 30\n",
      "254:0 Read 1\n254:0 Write 2\nTotal 3\n",
    ),
    [device],
  );
  assert.deepEqual(ioOfVersion2("254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n"), [device]);
  assert.deepEqual(ioOfVersion1("Total 0\n", ""), []);
});

test("usage reads no more files than what is asked for needs", () => {
  const asked: string[] = [];
  const read = (file: string): string => {
    asked.push(file);
    return "1\n";
  };
  assert.equal(usageOfVersion1(read, "usage").memory?.usage, 1);
  assert.deepEqual(asked.splice(0), ["cpuacct.usage", "memory.usage_in_bytes", "memory.stat"]);
  assert.deepEqual(usageOfVersion2(read, "limits").pids, { current: 1, limit: 1 });
  assert.deepEqual(asked.sort(), [
    "cpu.stat",
    "memory.current",
    "memory.max",
    "memory.stat",
    "memory.swap.current",
    "pids.current",
    "pids.max",
  ]);
});
