import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCgroupMounts } from "./cgroup-mounts.ts";

const none = (): string => assert.fail("there is no tree of version 2 to read");

test("parseCgroupMounts finds the hierarchies of version 1, those that share one too", () => {
  const mounts = parseCgroupMounts(
    [
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
      "35 31 0:32 / /sys/fs/cgroup/with\\040space rw,relatime - cgroup cgroup rw,memory",
      "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd",
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
      "",
    ].join("\n"),
    none,
  );
  assert.equal(mounts?.version, 1);
  assert.deepEqual(
    [...mounts!.controllers],
    [
      ["cpu", "/sys/fs/cgroup/cpu,cpuacct"],
      ["cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
      ["memory", "/sys/fs/cgroup/with space"],
      ["name=systemd", "/sys/fs/cgroup/systemd"],
    ],
  );
  assert.deepEqual(mounts?.roots, [
    "/sys/fs/cgroup/cpu,cpuacct",
    "/sys/fs/cgroup/with space",
    "/sys/fs/cgroup/systemd",
    "/sys/fs/cgroup/unified",
  ]);
});

test("parseCgroupMounts finds the tree of version 2 and what it controls", () => {
  const mounts = parseCgroupMounts(
    "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate",
    (root) => {
      assert.equal(root, "/sys/fs/cgroup");
      return "cpuset cpu io memory hugetlb pids\n";
    },
  );
  assert.equal(mounts?.version, 2);
  assert.equal(mounts?.controllers.get("memory"), "/sys/fs/cgroup");
  assert.deepEqual(mounts?.roots, ["/sys/fs/cgroup"]);
});

test("parseCgroupMounts finds nothing where nothing is mounted", () => {
  assert.equal(parseCgroupMounts("22 1 8:1 / / rw - ext4 /dev/sda1 rw", none), undefined);
});
