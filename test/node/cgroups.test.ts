/** Control groups of this machine, in a group of the test's own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Pod } from "../../src/api/schema/core.v1.generated.ts";
import { openCgroupTree } from "../../src/host/cgroups/cgroup-tree.ts";
import { startPodCgroups } from "../../src/kubelet/resources/pod-cgroups.ts";
import { canLimitSwap } from "../../src/kubelet/resources/swap.ts";

const tree = openCgroupTree();
const skip =
  process.getuid?.() !== 0 ? "not root" : tree === undefined ? "no control groups here" : undefined;
const ROOT = `/kybern-test-cgroups-${process.pid}`;

function pod(uid: string, requests?: Record<string, string>, limits?: Record<string, string>): Pod {
  const containers = [{ name: "c", image: "x", resources: { requests, limits } }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name: uid, uid }, spec: { containers } };
}

test("pods get groups by class with their limits, and what runs in a group ends with it", {
  skip,
}, async (t) => {
  assert.ok(tree);
  t.after(() => tree.remove(ROOT));
  const settings = { maxPids: 77 };
  const cgroups = await startPodCgroups({
    tree,
    driver: "cgroupfs",
    root: ROOT,
    settings,
    pods: { memory: 2 ** 32 },
  });
  const first = tree.version === 1;
  const number = async (path: string, one: string, two: string): Promise<number> =>
    Number.parseInt((await tree.read(path, first ? one : two)) ?? "", 10);

  const [burstable, bestEffort, guaranteed] = await Promise.all([
    cgroups.ensure(pod("a", { cpu: "500m", memory: "64Mi" })),
    cgroups.ensure(pod("b")),
    cgroups.ensure(pod("c", { cpu: "250m", memory: "64Mi" }, { cpu: "250m", memory: "64Mi" })),
  ]);
  assert.equal(burstable, `${ROOT}/kubepods/burstable/poda`);
  assert.equal(bestEffort, `${ROOT}/kubepods/besteffort/podb`);
  assert.equal(guaranteed, `${ROOT}/kubepods/podc`);
  assert.deepEqual([...(await cgroups.podUIDs())].sort(), ["a", "b", "c"]);
  assert.equal(await number(`${ROOT}/kubepods`, "memory.limit_in_bytes", "memory.max"), 2 ** 32);
  assert.equal(await number(guaranteed, "memory.limit_in_bytes", "memory.max"), 64 * 2 ** 20);
  assert.equal(await number(guaranteed, "cpu.cfs_quota_us", "cpu.max"), 25_000);
  assert.equal(await number(guaranteed, "pids.max", "pids.max"), 77);
  assert.equal(await number(burstable, "cpu.shares", "cpu.weight"), first ? 512 : 58);
  assert.equal(await number(`${ROOT}/kubepods/burstable`, "cpu.shares", "cpu.weight"), first ? 512 : 58);
  assert.equal(await number(`${ROOT}/kubepods/besteffort`, "cpu.shares", "cpu.weight"), first ? 2 : 1);

  // A larger pod of the same name, and one more: the class follows.
  await Promise.all([cgroups.ensure(pod("a", { cpu: "1" })), cgroups.ensure(pod("d", { cpu: "1" }))]);
  assert.equal(await number(`${ROOT}/kubepods/burstable`, "cpu.shares", "cpu.weight"), first ? 2048 : 174);

  const sleeper = spawn("sleep", ["1000"], { stdio: "ignore" });
  const ended = once(sleeper, "exit");
  await once(sleeper, "spawn");
  await tree.create(`${burstable}/inner`);
  for (const file of ["cgroup.procs", "memory.procs", "pids.procs"]) {
    const at = tree.file(`${burstable}/inner`, file);
    if (at) appendFileSync(at.replace(file, "cgroup.procs"), String(sleeper.pid));
  }
  assert.match(
    readFileSync(`/proc/${sleeper.pid}/cgroup`, "utf8"),
    new RegExp(`${ROOT}/kubepods/burstable/poda/inner`),
  );
  await cgroups.remove("a");
  await cgroups.remove("a");
  assert.deepEqual((await ended)[1], "SIGKILL");
  assert.equal(tree.exists(burstable), false);
  assert.equal(await number(`${ROOT}/kubepods/burstable`, "cpu.shares", "cpu.weight"), first ? 1024 : 100);

  const swapFile = tree.file(cgroups.kubepods, first ? "memory.memsw.limit_in_bytes" : "memory.swap.max");
  assert.equal(await canLimitSwap(tree, cgroups.kubepods), existsSync(swapFile!));
  assert.equal(await canLimitSwap(tree, `${ROOT}/none`), false);

  // The next life of the kubelet knows the groups of this one, and removes those it knows nothing else of.
  const next = await startPodCgroups({ tree, driver: "cgroupfs", root: ROOT });
  assert.deepEqual([...(await next.podUIDs())].sort(), ["b", "c", "d"]);
  assert.equal(next.pathOf("d"), `${ROOT}/kubepods/burstable/podd`);
  // What runs goes on counting for its class.
  await next.ensure(pod("e", { cpu: "500m" }));
  const together = await number(`${ROOT}/kubepods/burstable`, "cpu.shares", "cpu.weight");
  assert.ok(first ? together === 1536 : together > 130 && together < 150, String(together));
  await next.remove("e");
  await next.remove("c");
  assert.deepEqual([...(await next.podUIDs())].sort(), ["b", "d"]);
});
