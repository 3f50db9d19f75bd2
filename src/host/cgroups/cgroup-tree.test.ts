import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CgroupTree } from "./cgroup-tree.ts";

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "kybern-cgroups-"));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}

/** The files that the kernel makes with a group. */
function kernelFiles(directory: string, files: Record<string, string>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

function unified(root: string, controllers = ["cpu", "memory", "pids"]): CgroupTree {
  return new CgroupTree({
    mounts: { version: 2, controllers: new Map(controllers.map((name) => [name, root])), roots: [root] },
  });
}

test("a tree of version 2 passes on its controllers from the root down to the new group", async (t) => {
  const root = folder(t);
  for (const path of ["", "/kubepods", "/kubepods/burstable"]) {
    kernelFiles(root + path, { "cgroup.subtree_control": "" });
  }
  const tree = unified(root);
  await tree.create("/kubepods/burstable/pod1");
  assert.ok(existsSync(join(root, "kubepods/burstable/pod1")));
  for (const path of ["", "/kubepods", "/kubepods/burstable"]) {
    // In an ordinary file each of +cpu, +memory and +pids takes the place of the beginning.
    assert.equal(readFileSync(`${root}${path}/cgroup.subtree_control`, "utf8"), "+pidsry", path);
  }
});

test("a tree does not write what is passed on already", async (t) => {
  const root = folder(t);
  kernelFiles(root, { "cgroup.subtree_control": "cpu memory pids\n" });
  await unified(root).create("/kubepods");
  assert.equal(readFileSync(join(root, "cgroup.subtree_control"), "utf8"), "cpu memory pids\n");
});

test("a tree of version 1 makes a group in every hierarchy and lets it run where the group above does", async (t) => {
  const root = folder(t);
  const cpuset = join(root, "cpuset");
  kernelFiles(cpuset, { "cpuset.cpus": "0-1\n", "cpuset.mems": "0\n" });
  kernelFiles(join(cpuset, "kubepods"), { "cpuset.cpus": "\n", "cpuset.mems": "\n" });
  const tree = new CgroupTree({
    mounts: {
      version: 1,
      controllers: new Map([
        ["cpuset", cpuset],
        ["memory", join(root, "memory")],
      ]),
      roots: [cpuset, join(root, "memory")],
    },
  });
  assert.equal(tree.exists("/kubepods"), false);
  await tree.create("/kubepods");
  assert.equal(tree.exists("/kubepods"), true);
  assert.equal(readFileSync(join(cpuset, "kubepods/cpuset.cpus"), "utf8"), "0-1");
});

test("a tree tells what it lacks by answers, not by exceptions, and makes no files", async (t) => {
  const root = folder(t);
  mkdirSync(join(root, "a"));
  const tree = unified(root);
  assert.equal(await tree.write("/a", "hugetlb.2MB.max", 0), false);
  assert.equal(await tree.write("/a", "memory.max", 1), false);
  assert.equal(await tree.read("/a", "memory.max"), undefined);
  assert.equal(existsSync(join(root, "a/memory.max")), false);
  assert.deepEqual(await tree.children("/none"), []);
  assert.equal((await tree.processes("/none")).size, 0);
  await tree.remove("/none");
});

test("a tree finds the processes of a group and of those below", async (t) => {
  const root = folder(t);
  kernelFiles(join(root, "pod"), { "cgroup.procs": "" });
  kernelFiles(join(root, "pod/one"), { "cgroup.procs": "12\n0\n" });
  kernelFiles(join(root, "pod/two"), { "cgroup.procs": "7\n" });
  assert.deepEqual([...(await unified(root).processes("/pod"))].sort(), [12, 7]);
});

test("a tree of version 2 clears the root of a container, which passes nothing on while processes are in it", async (t) => {
  const root = folder(t);
  kernelFiles(root, { "cgroup.subtree_control": "", "cgroup.procs": "1\n7\n" });
  kernelFiles(join(root, "init"), { "cgroup.procs": "" });
  kernelFiles(join(root, "kubepods"), { "cgroup.subtree_control": "cpu memory pids" });
  const tree = unified(root);
  const moved: string[] = [];
  const write = tree.write.bind(tree);
  // What the kernel does: it refuses, and a process that is written to one group leaves the other.
  tree.write = async (path, file, value) => {
    const left = readFileSync(join(root, "cgroup.procs"), "utf8");
    if (path === "" && file === "cgroup.subtree_control" && left !== "") {
      throw new Error("refused", { cause: Object.assign(new Error("busy"), { code: "EBUSY" }) });
    }
    if (path === "/init") {
      moved.push(String(value));
      writeFileSync(join(root, "cgroup.procs"), left.replace(`${value}\n`, ""));
    }
    return write(path, file, value);
  };
  await tree.create("/kubepods");
  assert.deepEqual(moved, ["1", "7"]);
  assert.equal(readFileSync(join(root, "cgroup.subtree_control"), "utf8"), "+pidsry");
});
