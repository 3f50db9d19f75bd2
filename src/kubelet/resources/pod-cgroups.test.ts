/** The tree of version 2, and systemd's slices, as files of a temporary directory: what real groups do is in test/node. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { CgroupTree } from "../../host/cgroups/cgroup-tree.ts";
import { PodError } from "../ports.ts";
import { startPodCgroups } from "./pod-cgroups.ts";

const CONTROLLERS = ["cpu", "memory", "pids"];

function treeOf(t: TestContext, groups: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), "kybern-pods-"));
  t.after(() => rmSync(root, { recursive: true }));
  const make = (path: string): void => {
    mkdirSync(join(root, path), { recursive: true });
    for (const file of ["cgroup.subtree_control", "cpu.weight", "cpu.max", "memory.max", "pids.max"]) {
      writeFileSync(join(root, path, file), file === "cgroup.subtree_control" ? CONTROLLERS.join(" ") : "");
    }
  };
  // As the kernel would when the group is made.
  for (const path of ["", ...groups]) make(path);
  const controllers = new Map(CONTROLLERS.map((name) => [name, root]));
  const tree = new CgroupTree({ mounts: { version: 2, controllers, roots: [root] } });
  return { root, tree, read: (path: string) => readFileSync(join(root, path), "utf8") };
}

function pod(uid: string, cpu?: string): Pod {
  const resources =
    cpu === undefined ? {} : { requests: { cpu, memory: "1Gi" }, limits: { cpu, memory: "1Gi" } };
  const spec = { containers: [{ name: "c", image: "x", resources }] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name: uid, uid }, spec };
}

test("in version 2 pods have weights, maxima and the controllers of those above", async (t) => {
  const { tree, read } = treeOf(t, [
    "kubepods",
    "kubepods/burstable",
    "kubepods/besteffort",
    "kubepods/poda",
    "kubepods/besteffort/podb",
  ]);
  const cgroups = await startPodCgroups({ tree, driver: "cgroupfs", settings: { maxPids: 9 } });
  assert.equal(await cgroups.ensure(pod("a", "500m")), "/kubepods/poda");
  assert.equal(await cgroups.ensure(pod("b")), "/kubepods/besteffort/podb");
  assert.equal(read("kubepods/poda/cpu.weight"), "59");
  assert.equal(read("kubepods/poda/cpu.max"), "50000 100000");
  assert.equal(read("kubepods/poda/memory.max"), String(2 ** 30));
  assert.equal(read("kubepods/poda/pids.max"), "9");
  assert.equal(read("kubepods/besteffort/podb/cpu.weight"), "1");
  assert.equal(read("kubepods/besteffort/podb/memory.max"), "");
  assert.deepEqual([...(await cgroups.podUIDs())].sort(), ["a", "b"]);
  assert.equal(cgroups.pathOf("a"), "/kubepods/poda");
  assert.equal(cgroups.pathOf("c"), undefined);
});

test("by systemd pods are slices with limits, and end with them", async (t) => {
  const { tree, root } = treeOf(t, []);
  const told: string[] = [];
  const cgroups = await startPodCgroups({
    tree,
    driver: "systemd",
    pods: { memory: 4096 },
    slices: {
      async ensure(name, limits) {
        told.push(`${name} ${JSON.stringify(limits)}`);
        const parts = name.slice(0, -".slice".length).split("-");
        const path = parts.map((_, i) => `${parts.slice(0, i + 1).join("-")}.slice`);
        mkdirSync(join(root, ...path), { recursive: true });
      },
      async stop(name) {
        told.push(`stop ${name}`);
      },
    },
  });
  const parent = await cgroups.ensure(pod("1-2", "1"));
  assert.equal(parent, "kubepods-pod1_2.slice");
  assert.ok(existsSync(join(root, "kubepods.slice/kubepods-pod1_2.slice")));
  assert.deepEqual(await cgroups.podUIDs(), ["1-2"]);
  await cgroups.remove("1-2");
  assert.deepEqual(await cgroups.podUIDs(), []);
  assert.deepEqual(told, [
    'kubepods.slice {"cpuPeriod":100000,"memory":4096}',
    'kubepods-burstable.slice {"cpuWeight":1,"cpuPeriod":100000}',
    'kubepods-besteffort.slice {"cpuWeight":1,"cpuPeriod":100000}',
    'kubepods-pod1_2.slice {"cpuWeight":100,"cpuQuota":100000,"cpuPeriod":100000,"memory":1073741824}',
    "stop kubepods-pod1_2.slice",
  ]);
});

test("a group that cannot be made says so in the pod's words, and is tried again", async (t) => {
  const { tree } = treeOf(t, ["kubepods"]);
  const state = { fails: false };
  const cgroups = await startPodCgroups({
    tree,
    driver: "systemd",
    slices: {
      ensure: async () => {
        if (state.fails) throw new Error("no such bus");
      },
      stop: async () => {},
    },
  });
  state.fails = true;
  await assert.rejects(cgroups.ensure(pod("a", "1")), (error) => {
    assert.ok(error instanceof PodError);
    assert.equal(error.reason, "FailedToCreatePodContainer");
    assert.match(error.message, /^unable to ensure pod container exists: .*no such bus$/);
    return true;
  });
  assert.equal(cgroups.pathOf("a"), undefined);
  state.fails = false;
  assert.equal(await cgroups.ensure(pod("a", "1")), "kubepods-poda.slice");
});
