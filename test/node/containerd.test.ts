import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import test from "node:test";
import { systemPath } from "../../src/host/command.ts";
import { openContainerd } from "../../src/host/containerd/containerd-client.ts";
import { mountsBelow } from "../../src/host/mounts/mount-table.ts";
import { openMounts } from "../../src/host/mounts/mounts.ts";
import { isAlive } from "../../src/host/processes.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { startContainerd, type TestContainerd } from "./harness/containerd.ts";
import { BUSYBOX } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";

const skip = cannotRunContainers;

test("containerd runs a container in a sandbox of the built-in pause image, and is adopted and started anew", {
  skip,
}, async (t) => {
  const told: (string | undefined)[] = [];
  const back = Promise.withResolvers<void>();
  const containerd = await startContainerd(t, {
    told(problem) {
      told.push(problem);
      if (problem === undefined) back.resolve();
    },
  });
  const runtime = openContainerRuntime(containerd.socket);
  t.after(() => runtime.close());
  const config = {
    metadata: { name: "a", uid: "1", namespace: "default", attempt: 0 },
    logDirectory: join(containerd.directory, "logs"),
    linux: {},
  };
  const { podSandboxId } = await runtime.runPodSandbox({ config });
  const { containerId } = await runtime.createContainer({
    podSandboxId,
    config: { metadata: { name: "c" }, image: { image: BUSYBOX }, logPath: "c.log" },
    sandboxConfig: config,
  });
  await runtime.startContainer({ containerId });
  const said = await runtime.execSync({ containerId, cmd: ["/bin/echo", "hello"], timeout: 60 });
  assert.equal(said.stdout.toString(), "hello\n");

  const { image } = await runtime.imageStatus({ image: { image: BUSYBOX } });
  const client = openContainerd(containerd.socket);
  // Whoever is told of an image by its id alone finds it.
  assert.equal(await client.hasImage(image?.id ?? "").finally(() => client.close()), true);

  const pidFile = join(containerd.directory, "run/pid");
  const pid = Number(await readFile(pidFile, "utf8"));
  process.kill(pid, "SIGKILL");
  // The supervisor is told of its end and starts another, which finds the container as it was.
  await back.promise;
  const until = Date.now() + 60_000;
  const state = async (): Promise<number | undefined> => {
    for (;;) {
      try {
        return (await runtime.containerStatus({ containerId })).status?.state;
      } catch (error) {
        if (Date.now() > until) throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const running = 1;
  assert.equal(await state(), running);
  const fresh = Number(await readFile(pidFile, "utf8"));
  assert.notEqual(fresh, pid);
  assert.deepEqual([told.at(0), told.at(-1)], ["it ended, and is started again", undefined]);

  const results = "/var/lib/cni/results";
  const keptOfPlugins = async (): Promise<string[]> =>
    (await readdir(results).catch(() => [])).filter((name) => name.includes(podSandboxId));
  assert.notDeepEqual(await keptOfPlugins(), []);
  await containerd.stop();
  assert.equal(isAlive(fresh), false);
  assert.deepEqual(await keptOfPlugins(), []);
  assert.deepEqual(mountsBelow(await openMounts().table(), containerd.directory), []);
});

test("containerd that was installed anew takes the place of the one that runs, and of no other", {
  skip,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-node-"));
  const path = process.env.PATH;
  const original = systemPath(process.env)
    .split(delimiter)
    .map((folder) => join(folder, "containerd"))
    .find((file) => existsSync(file));
  const program = join(directory, "containerd-program");
  const install = async (): Promise<void> => {
    await mkdir(program, { recursive: true });
    await rm(join(program, "containerd"), { force: true });
    await copyFile(original ?? "", join(program, "containerd"));
  };
  process.env.PATH = `${program}${delimiter}${path}`;
  let running: TestContainerd | undefined;
  try {
    await install();
    running = await startContainerd(t, { directory });
    await running.leave();
    running = await startContainerd(t, { directory });
    assert.equal(running.adopted, true);
    await running.leave();
    await install();
    running = await startContainerd(t, { directory });
    assert.equal(running.adopted, false);
  } finally {
    await running?.stop();
    process.env.PATH = path;
    await rm(directory, { recursive: true, force: true });
  }
});
