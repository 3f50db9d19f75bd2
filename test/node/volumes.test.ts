/** Volumes with real mounts, in real containers. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, realpath, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod as PodKind } from "../../src/api/core/pod/pod.ts";
import { Secret } from "../../src/api/core/secret.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import type { Pod } from "../../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { runCommand } from "../../src/host/command.ts";
import { detachBelow } from "../../src/host/mounts/detach-below.ts";
import { mountsBelow } from "../../src/host/mounts/mount-table.ts";
import { openMounts } from "../../src/host/mounts/mounts.ts";
import { removeAll } from "../../src/host/mounts/remove-all.ts";
import { removeTree } from "../../src/host/mounts/remove-tree.ts";
import { createPodObjects } from "../../src/kubelet/objects/pod-objects.ts";
import { type ContainerRuntime, openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { mountSubPath } from "../../src/kubelet/volumes/sub-path.ts";
import { createVolumeManager } from "../../src/kubelet/volumes/volume-manager.ts";
import { startCluster } from "../../src/testing/start-cluster.ts";
import { startContainerd } from "./harness/containerd.ts";
import { BUSYBOX } from "./harness/images.ts";
import { inReverse } from "./harness/in-reverse.ts";
import { cannotRunContainers } from "./harness/machine.ts";

const skip = cannotRunContainers;
const mounts = openMounts();
const RACE_MS = 3000;

async function temporary(t: Pick<TestContext, "after">): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "kybern-volumes-")));
  t.after(async () => {
    await mounts.unmountBelow(path);
    await removeTree(mounts, path);
  });
  return path;
}

/** In a process of its own, as fast as it can: `sub` is a directory, then a link to `outside`, then a directory … */
const EXCHANGE = `
const { renameSync, rmSync } = require("node:fs");
const [volume] = process.argv.slice(1);
const move = (from, to) => {
  for (;;) {
    try {
      return renameSync(volume + from, volume + to);
    } catch {
      // What was missing for a moment has been made as a directory.
      try {
        rmSync(volume + to, { recursive: true, force: true });
      } catch {}
    }
  }
};
for (;;) {
  move("/sub", "/.dir");
  move("/.link", "/sub");
  move("/sub", "/.link");
  move("/.dir", "/sub");
}`;

test("a subPath never shows what is outside of its volume, however fast the pod exchanges it for a link", {
  skip,
}, async (t) => {
  const base = await temporary(t);
  const [volume, outside] = [join(base, "volume"), join(base, "outside")];
  await mkdir(join(volume, "sub/inner"), { recursive: true });
  await mkdir(join(outside, "inner"), { recursive: true });
  await writeFile(join(outside, "inner/secret"), "");
  await symlink(outside, join(volume, ".link"));
  const pod = spawn(process.execPath, ["-e", EXCHANGE, volume], { stdio: "ignore" });
  const ended = once(pod, "exit");
  const until = Date.now() + RACE_MS;
  let [shown, refused] = [0, 0];
  try {
    for (let i = 0; Date.now() < until || shown === 0 || refused === 0; i++) {
      assert.equal(pod.exitCode, null);
      const target = join(base, `targets/${i}`);
      const mounted = await mountSubPath(mounts, volume, "sub/inner", target).then(
        () => true,
        () => false,
      );
      if (mounted) shown++;
      else refused++;
      if (!mounted) continue;
      await assert.rejects(stat(join(target, "secret")), { code: "ENOENT" });
      await mounts.unmountBelow(target);
    }
  } finally {
    pod.kill("SIGKILL");
    await ended;
  }
});

test("a subPath follows links that stay inside, makes what is missing, and is mounted once", {
  skip,
}, async (t) => {
  const base = await temporary(t);
  const volume = join(base, "volume");
  await mkdir(join(volume, "..data"), { recursive: true, mode: 0o755 });
  await writeFile(join(volume, "..data/key"), "value");
  await symlink("..data/key", join(volume, "key"));
  await symlink("/etc", join(volume, "etc"));
  await symlink("nowhere", join(volume, "dangling"));
  const target = join(base, "target");
  await mountSubPath(mounts, volume, "key", target);
  await mountSubPath(mounts, volume, "key", target);
  assert.equal(await readFile(target, "utf8"), "value");
  assert.equal(mountsBelow(await mounts.table(), target).length, 1);
  await mountSubPath(mounts, volume, "new/dir", join(base, "other"));
  assert.ok((await stat(join(volume, "new/dir"))).isDirectory());
  await writeFile(join(base, "other/file"), "");
  assert.ok(await stat(join(volume, "new/dir/file")));
  for (const path of ["etc", "etc/passwd", "dangling", "dangling/x"]) {
    await assert.rejects(mountSubPath(mounts, volume, path, join(base, "refused")));
  }
  await assert.rejects(removeTree(mounts, base), /something is mounted/);
  assert.ok(await stat(join(volume, "new/dir/file")));
});

test("what is mounted is found, and not removed, through links on the way to it", { skip }, async (t) => {
  const base = await temporary(t);
  await mkdir(join(base, "real/pods/u/volume"), { recursive: true });
  await symlink(join(base, "real"), join(base, "link"));
  const target = join(base, "link/pods/u/volume");
  await mounts.mount({ type: "tmpfs", source: "tmpfs", target });
  await writeFile(join(target, "file"), "");
  assert.equal(await mounts.isMountPoint(target), true);
  await assert.rejects(removeTree(mounts, join(base, "link/pods/u")), /something is mounted at/);
  assert.ok(await stat(join(target, "file")));
  await mounts.unmountBelow(join(base, "link/pods/u"));
  assert.equal(await mounts.isMountPoint(target), false);
  await mounts.mount({ type: "tmpfs", source: "tmpfs", target });
  await detachBelow([join(base, "link/pods")]);
  assert.equal(await mounts.isMountPoint(target), false);
  await removeTree(mounts, join(base, "link/pods/u"));
  // A link in the place of a directory goes, and not what it leads to.
  await removeTree(mounts, join(base, "link"));
  assert.ok(await stat(join(base, "real/pods")));
});

test("a disk that somebody has for a directory is emptied of mounts and files, and stays", {
  skip,
}, async (t) => {
  const base = await temporary(t);
  const disk = join(base, "kubelet");
  const volume = join(disk, "pods/u/volume");
  await mkdir(disk);
  await mounts.mount({ type: "tmpfs", source: "tmpfs", target: disk });
  await mkdir(volume, { recursive: true });
  await mounts.mount({ type: "tmpfs", source: "tmpfs", target: volume });
  await detachBelow([disk], { keep: true });
  assert.equal(await mounts.isMountPoint(volume), false);
  await removeAll(disk);
  assert.deepEqual(await readdir(disk), []);
  assert.equal(await mounts.isMountPoint(disk), true);
  await detachBelow([disk]);
  await removeAll(disk);
  await assert.rejects(stat(disk), { code: "ENOENT" });
});

async function startNode(test: TestContext) {
  const t = inReverse(test);
  const containerd = await startContainerd(t);
  const runtime = openContainerRuntime(containerd.socket);
  const root = await temporary(t);
  const cluster = await startCluster({ controllers: false, scheduler: false });
  const { client } = cluster;
  const parts = { client, clock: systemClock, random: Math.random };
  const informers = new Informers(parts);
  const objects = createPodObjects({ ...parts, changed: () => {} });
  const volumes = createVolumeManager({
    ...parts,
    root,
    nodeName: "n",
    informers,
    objects,
    runtime,
    images: { ensure: () => assert.fail("no image volume") } as never,
    imageViews: {} as never,
    events: { record: () => {} },
  });
  t.after(async () => {
    await volumes.stop();
    await objects.stop();
    await informers.stop();
    await cluster.stop();
    runtime.close();
  });
  await client.resource(Node).create({ metadata: { name: "n" } });
  await client.resource(ServiceAccount, "default").create({ metadata: { name: "default" } });
  const run = async (spec: Pod["spec"] & object) => {
    const pod = (await client.resource(PodKind, "default").create({
      metadata: { name: "p" },
      spec: { nodeName: "n", automountServiceAccountToken: false, ...spec },
    } as never)) as unknown as Pod;
    const container = await runPod(runtime, containerd.directory, pod, await volumes.setUp(pod));
    return { pod, ...container };
  };
  return { client, volumes, run, root };
}

async function runPod(
  runtime: ContainerRuntime,
  directory: string,
  pod: Pod,
  volumes: Awaited<ReturnType<ReturnType<typeof createVolumeManager>["setUp"]>>,
) {
  const { uid, name, namespace } = pod.metadata;
  const config = {
    metadata: { name, uid, namespace },
    logDirectory: join(directory, "logs"),
    linux: { securityContext: { namespaceOptions: { network: 2 } } },
  };
  const { podSandboxId } = await runtime.runPodSandbox({ config });
  const [spec] = pod.spec!.containers;
  const { containerId } = await runtime.createContainer({
    podSandboxId,
    config: {
      metadata: { name: "c" },
      image: { image: BUSYBOX },
      logPath: "c.log",
      mounts: await volumes.mountsOf(spec!, new Map([["DIR", "from-env"]])),
      linux: {
        securityContext: {
          runAsUser: { value: 1000 },
          runAsGroup: { value: 3000 },
          supplementalGroups: [...volumes.fsGroups],
          namespaceOptions: { network: 2 },
        },
      },
    },
    sandboxConfig: config,
  });
  await runtime.startContainer({ containerId });
  const sh = async (command: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await runtime.execSync({
      containerId,
      cmd: ["/bin/sh", "-c", command],
      timeout: 60,
    });
    return exitCode === 0 ? stdout.toString().trim() : `${exitCode}: ${stderr.toString().trim()}`;
  };
  const stop = () => runtime.stopPodSandbox({ podSandboxId });
  return { sh, stop };
}

test("containers see the volumes of their pod with their owners, modes and limits", { skip }, async (t) => {
  const { client, volumes, run, root } = await startNode(t);
  await client
    .resource(ConfigMap, "default")
    .create({ metadata: { name: "c" }, data: { key: "1", other: "2" } });
  await client.resource(Secret, "default").create({ metadata: { name: "s" }, stringData: { key: "secret" } });
  const { pod, sh, stop } = await run({
    securityContext: { fsGroup: 2000 },
    containers: [
      {
        name: "c",
        image: BUSYBOX,
        volumeMounts: [
          { name: "c", mountPath: "/c" },
          { name: "c", mountPath: "/one", subPath: "key" },
          { name: "s", mountPath: "/s" },
          { name: "disk", mountPath: "/disk" },
          { name: "disk", mountPath: "/part", subPathExpr: "$(DIR)" },
          { name: "memory", mountPath: "/memory" },
        ],
      },
    ],
    volumes: [
      { name: "c", configMap: { name: "c" } },
      { name: "s", secret: { secretName: "s", defaultMode: 0o400 } },
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ],
  });
  assert.equal(await sh("cat /c/key /one"), "11");
  assert.equal(await sh("stat -Lc '%a %u:%g' /s/key"), "440 0:2000");
  assert.equal(await sh("cat /s/key"), "secret");
  assert.match(await sh("touch /c/x"), /Read-only file system/);
  assert.equal(await sh("stat -c '%a %u:%g' /disk"), "2777 0:2000");
  assert.equal(await sh("touch /part/x && stat -c '%u:%g' /disk/from-env/x"), "1000:2000");
  assert.equal(await sh("stat -c '%a %u:%g' /memory"), "3777 0:2000");
  assert.match(await sh("dd if=/dev/zero of=/memory/x bs=64k count=32"), /No space left/);
  assert.equal(await sh("stat -fc %T /s"), "tmpfs");

  await client.resource(ConfigMap, "default").patch("c", { data: { key: "new" } }, { type: "merge" });
  while ((await sh("cat /c/key")) !== "new") await new Promise(setImmediate);
  assert.equal(await sh("cat /one"), "1");

  await stop();
  const uid = pod.metadata.uid ?? "";
  assert.ok(mountsBelow(await mounts.table(), join(root, "pods", uid)).length >= 3);
  await volumes.tearDown(uid);
  assert.deepEqual(mountsBelow(await mounts.table(), join(root, "pods")), []);
  assert.deepEqual(await volumes.podUIDs(), []);
});

test("mounts go between host and container as their propagation says", { skip }, async (t) => {
  const { run, root } = await startNode(t);
  const shared = join(root, "shared");
  await mkdir(shared);
  await mounts.mount({ type: "tmpfs", source: "tmpfs", target: shared });
  await runCommand("mount", ["--make-shared", shared]);
  await mkdir(join(shared, "late"));
  const { sh, stop } = await run({
    containers: [
      {
        name: "c",
        image: BUSYBOX,
        volumeMounts: [
          { name: "v", mountPath: "/follows", mountPropagation: "HostToContainer" },
          { name: "v", mountPath: "/alone" },
        ],
      },
    ],
    volumes: [{ name: "v", hostPath: { path: shared, type: "Directory" } }],
  });
  await mounts.mount({ type: "tmpfs", source: "tmpfs", target: join(shared, "late") });
  await writeFile(join(shared, "late/file"), "here");
  assert.equal(await sh("cat /follows/late/file"), "here");
  assert.match(await sh("cat /alone/late/file"), /No such file/);
  await stop();
});
