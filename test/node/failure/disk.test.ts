/** A pod fills the disk of a whole node: it goes, and nobody else is any the worse. */
import assert from "node:assert/strict";
import { watch } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { runCommand } from "../../../src/host/command.ts";
import { until } from "../../scenario/until.ts";
import { cannotRunContainers as skip } from "../harness/machine.ts";
import { startTestNode } from "../harness/test-node.ts";
import { containerOf, isReady, podWhere, runScript, WAIT } from "./pods.ts";

const MEBIBYTE = 2 ** 20;

test("a node whose disk a pod fills ends that pod alone, and has room again", {
  skip,
  timeout: 400_000,
}, async (t) => {
  const disk = await mkdtemp(join(tmpdir(), "kyd-"));
  await runCommand("mount", ["-t", "tmpfs", "-o", "size=200m", "tmpfs", disk]);
  const before = process.env.TMPDIR;
  t.after(async () => {
    await runCommand("umount", ["--lazy", disk]);
    await rm(disk, { recursive: true });
  });
  process.env.TMPDIR = disk;
  const started = startTestNode();
  await using node = await started.finally(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  const pods = node.client.resource(Pod, "default");
  const maps = node.client.resource(ConfigMap, "default");
  await runScript(node, "steady", WAIT);
  const steady = containerOf(await podWhere(node, "steady", isReady));
  await maps.create({ metadata: { name: "kept" }, data: { a: "b" } });

  // Less than a node may do with, and more than the store and others write meanwhile.
  const room = await statfs(disk);
  const count = Math.floor((room.bavail * room.bsize) / MEBIBYTE) - 8;
  await runScript(node, "full", `dd if=/dev/zero of=/fill bs=${MEBIBYTE} count=${count}; ${WAIT}`);
  const full = await podWhere(node, "full", ({ status }) => status?.phase === "Failed");
  assert.equal(full.status?.reason, "Evicted");
  assert.match(
    full.status?.message ?? "",
    /^The node was low on resource: ephemeral-storage\. Threshold quantity: /,
  );
  const pressed = await until(node.client.resource(Node), node.name, (now) =>
    Boolean(
      now?.status?.conditions?.some(({ type, status }) => type === "DiskPressure" && status === "True"),
    ),
  );
  const pressure = pressed?.status?.conditions?.find(({ type }) => type === "DiskPressure");
  assert.deepEqual(
    [pressure?.reason, pressure?.message],
    ["KubeletHasDiskPressure", "kubelet has disk pressure"],
  );

  // Containerd gives back what was written once it has no other work.
  const snapshots = join(node.layout.containerd.root, "io.containerd.snapshotter.v1.overlayfs/snapshots");
  const hasRoom = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const { bavail, blocks } = await statfs(disk);
    if (bavail > blocks / 2) hasRoom.resolve();
  };
  const watcher = watch(snapshots, () => void look());
  await look();
  await hasRoom.promise.finally(() => watcher.close());
  assert.deepEqual(containerOf(await pods.get("steady")), steady);
  assert.ok(isReady(await pods.get("steady")));
  assert.equal((await maps.get("kept")).data?.a, "b");
  await maps.create({ metadata: { name: "later" } });
  // How it ended is told, though nothing of it is left.
  assert.ok((await pods.get("full")).status?.containerStatuses?.[0]?.state?.terminated);
});
